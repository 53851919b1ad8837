/** Floating-point drawing surfaces of procedural images: three colour planes in 0..1 (display-referred, gamma coded). */
export interface Canvas {
  readonly width: number
  readonly height: number
  /** Red, green and blue, each [height * width]. */
  readonly planes: readonly [Float32Array, Float32Array, Float32Array]
}

export function createCanvas(width: number, height: number): Canvas {
  const plane = () => new Float32Array(width * height)
  return { width, height, planes: [plane(), plane(), plane()] }
}

/** Blurs one plane in place with three running box means of half width `radius` (nearly Gaussian); edges repeat. */
export function blurPlane(plane: Float32Array, width: number, height: number, radius: number): void {
  if (radius < 1) return
  const line = new Float32Array(Math.max(width, height))
  for (let y = 0; y < height; y++) blurLine(plane, y * width, 1, width, radius, line)
  for (let x = 0; x < width; x++) blurLine(plane, x, width, height, radius, line)
}

function blurLine(
  plane: Float32Array,
  start: number,
  stride: number,
  length: number,
  radius: number,
  line: Float32Array,
): void {
  const last = length - 1
  const scale = 1 / (2 * radius + 1)
  for (let pass = 0; pass < 3; pass++) {
    for (let i = 0; i < length; i++) line[i] = plane[start + i * stride]!
    let sum = line[0]! * (radius + 1)
    for (let i = 1; i <= radius; i++) sum += line[Math.min(i, last)]!
    for (let i = 0; i < length; i++) {
      plane[start + i * stride] = sum * scale
      sum += line[Math.min(i + radius + 1, last)]! - line[Math.max(i - radius, 0)]!
    }
  }
}

/** A plane enlarged `factor` times by bilinear interpolation, [height * factor, width * factor]. */
export function enlarge(plane: Float32Array, width: number, height: number, factor: number): Float32Array {
  const wide = width * factor
  const out = new Float32Array(wide * height * factor)
  const left = new Int32Array(wide)
  const share = new Float32Array(wide)
  for (let x = 0; x < wide; x++) {
    const u = Math.min(Math.max((x + 0.5) / factor - 0.5, 0), width - 1.001)
    left[x] = Math.floor(u)
    share[x] = u - Math.floor(u)
  }
  for (let y = 0; y < height * factor; y++) {
    const v = Math.min(Math.max((y + 0.5) / factor - 0.5, 0), height - 1.001)
    const top = Math.floor(v) * width
    const t = v - Math.floor(v)
    for (let x = 0; x < wide; x++) {
      const i = top + left[x]!
      const s = share[x]!
      const upper = plane[i]! * (1 - s) + plane[i + 1]! * s
      const lower = plane[i + width]! * (1 - s) + plane[i + width + 1]! * s
      out[y * wide + x] = upper * (1 - t) + lower * t
    }
  }
  return out
}
