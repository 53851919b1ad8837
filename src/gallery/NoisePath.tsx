import { useEffect, useRef, useState } from 'react'
import {
  useVault,
  vaultService,
  type OpenedPhoto,
  type PathName,
  type PathStateView,
  type PhotoView,
} from '../state/vault-store'
import { smallPicture, type SmallPicture } from './draw'
import { sentenceOf } from './sentence'
import './noise-path.css'

const PATHS: readonly (readonly [PathName, string])[] = [
  ['torus-32', 'Torus, 32 steps'],
  ['gaussian-constant-32', 'Gaussian, 32 steps'],
  ['gaussian-linear-1000', 'Gaussian, 1,000 steps'],
]

interface Path {
  readonly name: PathName
  readonly picture: SmallPicture
  readonly states: readonly PathStateView[]
}

/** From photo to noise and back: one picture along one noise path, made on this device's engine. */
export function NoisePath({ photo, opened }: { photo: PhotoView; opened: OpenedPhoto }) {
  const [name, setName] = useState<PathName>('torus-32')
  const [at, setAt] = useState(0)
  const { path, trouble } = usePath(opened, name)
  const canvas = useRef<HTMLCanvasElement>(null)
  const state = path?.states[Math.min(at, path.states.length - 1)] ?? null

  useEffect(() => {
    if (canvas.current !== null && path !== null && state !== null) draw(canvas.current, path.picture, state)
  }, [path, state])

  const last = path?.states.at(-1)?.t ?? 0
  const style = { '--ratio': String(opened.width / opened.height) } as React.CSSProperties
  return (
    <figure className="compare noise-path" style={style}>
      <div className="compare-room">
        <div className="compare-frame">
          <canvas
            ref={canvas}
            role="img"
            aria-label={state === null ? photo.name : `${photo.name} after ${state.t} of ${last} noise steps`}
          />
        </div>
      </div>
      <div className="noise-path-tools">
        <label>
          <span>Photo</span>
          <input
            type="range"
            min={0}
            max={(path?.states.length ?? 33) - 1}
            value={at}
            disabled={path === null}
            aria-label="From photo to noise and back"
            aria-valuetext={state === null ? '' : `Step ${state.t} of ${last}. ${returnText(state)}`}
            onChange={(event) => setAt(Number(event.target.value))}
          />
          <span>Noise</span>
        </label>
        <select
          value={name}
          aria-label="Kind of noise"
          onChange={(event) => setName(event.target.value as PathName)}
        >
          {PATHS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <figcaption>
        <p className="noise-path-figures" data-longest={LONGEST_FIGURES}>
          <span>{trouble ?? (state === null ? 'Making the noise path.' : figures(state, last))}</span>
        </p>
        <p>
          A preview of the forward process on pixels; the vault’s artifact adds its noise, which needs your
          keys, to the compressed bytes.
        </p>
      </figcaption>
    </figure>
  )
}

type Figures = Pick<PathStateView, 't' | 'signalCoef' | 'worstReturn'>

function figures(state: Figures, last: number): string {
  return `Step ${state.t} of ${last}, ${percentText(state.signalCoef)} of the signal left. ${returnText(state)}`
}

function percentText(share: number): string {
  if (share >= 0.01) return `${Math.round(100 * share)} %`
  return share >= 0.0001 ? `${(100 * share).toFixed(2)} %` : 'less than 0.01 %'
}

/** What taking the same noise away from the picture shown would give. */
function returnText({ t, worstReturn }: Figures): string {
  if (t === 0) return 'The photo, unchanged.'
  if (worstReturn === 0) return 'The same noise taken away gives back every byte.'
  const levels = worstReturn < 1 ? 'less than 1' : Math.min(255, Math.ceil(worstReturn)).toString()
  return `Stored as bytes it was clipped: the same noise taken away leaves errors up to ${levels} of 255.`
}

/** Its lines are kept free, so that nothing moves from step to step and from noise to noise. */
const LONGEST_FIGURES = figures({ t: 1000, signalCoef: 0, worstReturn: 255 }, 1000)

function usePath(opened: OpenedPhoto, name: PathName): { path: Path | null; trouble: string | null } {
  const backend = useVault((state) => state.engine?.backend)
  const [made, setMade] = useState<Path | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    const make = async () => {
      const picture = await smallPicture(opened)
      const states = await vaultService().makePath(picture.rgb, name, { signal })
      if (signal.aborted) return
      setTrouble(null)
      setMade({ name, picture, states })
    }
    make().catch((error: unknown) => {
      if (!signal.aborted) setTrouble(sentenceOf(error, 'The noise path could not be made.'))
    })
    return () => controller.abort()
  }, [opened, name, backend])
  return { path: made?.name === name ? made : null, trouble }
}

function draw(canvas: HTMLCanvasElement, picture: SmallPicture, { bytes }: PathStateView): void {
  const { width, height, colorSpace } = picture
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d', { colorSpace })
  if (context === null) return
  const data = new Uint8ClampedArray(4 * width * height).fill(255)
  for (let i = 0; i < width * height; i++) data.set(bytes.subarray(3 * i, 3 * i + 3), 4 * i)
  context.putImageData(new ImageData(data, width, height, { colorSpace }), 0, 0)
}
