/** The picture of the first screens: prints on a line under a safelight, developing or still blank. */
import './scene.css'

const LAMP = { x: 280, y: 0 }

export function DarkroomScene({ prints }: { prints: 'developing' | 'blank' }) {
  return (
    <svg className={`scene prints-${prints}`} viewBox="0 0 560 420" aria-hidden="true" focusable="false">
      <defs>
        <radialGradient id="scene-glass" cx="50%" cy="20%" r="85%">
          <stop offset="0" stopColor="#fff0de" />
          <stop offset="0.35" stopColor="#ffa070" />
          <stop offset="0.8" stopColor="#ff4a22" />
          <stop offset="1" stopColor="#c8230f" />
        </radialGradient>
        <radialGradient id="scene-halo">
          <stop offset="0" stopColor="#ff5426" stopOpacity="0.6" />
          <stop offset="0.35" stopColor="#ff4a22" stopOpacity="0.22" />
          <stop offset="1" stopColor="#ff4a22" stopOpacity="0" />
        </radialGradient>
      </defs>
      <ellipse className="halo" cx={LAMP.x} cy={112} rx={280} ry={250} fill="url(#scene-halo)" />
      <path className="metal" d="M278 0h4v42h-4zM262 38h36l20 32h-76z" />
      <path d="M234 70h92a46 46 0 0 1-92 0z" fill="url(#scene-glass)" />
      <path className="line" d="M0 178Q280 236 560 178" />
      <Print x={58} y={187} turn={-3}>
        <circle cx={84} cy={36} r={13} className="bright" />
        <path d="M0 96l34-40 22 24 26-34 38 50v34H0z" className="dark" />
        <path d="M0 112l40-22 30 18 50-26v48H0z" className="darker" />
      </Print>
      <Print x={212} y={208} turn={1.5}>
        <path d="M0 74h120v56H0z" className="dark" />
        <circle cx={60} cy={70} r={24} className="bright" />
        <path d="M0 74h120v56H0z" className="sea" />
        <path d="M34 88h52M44 98h32M50 108h20M54 118h12" className="shine" />
      </Print>
      <Print x={366} y={199} turn={4}>
        <path d="M62 130C58 96 60 62 66 22" className="stem" />
        <path
          d="M64 50c-22-4-32-16-34-32 18 2 32 12 34 32zm-3 32c-24-2-36-14-40-32 22 2 38 12 40 32zm3-16c18-2 28-14 30-32-18 4-30 14-30 32zm-2 34c22-2 34-16 38-34-22 4-36 14-38 34z"
          className="dark"
        />
      </Print>
    </svg>
  )
}

/** 136 × 170 on the paper, 120 × 130 of it the picture. */
function Print({ x, y, turn, children }: React.PropsWithChildren<{ x: number; y: number; turn: number }>) {
  return (
    <g transform={`translate(${x} ${y}) rotate(${turn} 68 0)`}>
      <rect className="paper" width={136} height={170} rx={2} />
      <svg x={8} y={8} width={120} height={130} viewBox="0 0 120 130">
        <g className="picture">
          <rect width={120} height={130} className="sky" />
          {children}
        </g>
      </svg>
      <rect className="peg" x={62} y={-10} width={12} height={26} rx={3} />
    </g>
  )
}
