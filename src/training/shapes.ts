/** Outlines of leaves and their scan conversion to horizontal spans. Coordinates are canvas pixels. */
import type { Random } from './random'
import { cosineOfTurns, sineOfTurns } from './turn-table'

export type Span = (y: number, x0: number, x1: number) => void

/** One closed outline: x and y interleaved. */
export type Outline = Float64Array

/** Spans of a disk, clipped to the canvas. */
export function fillDisk(cx: number, cy: number, r: number, width: number, height: number, span: Span): void {
  const bottom = Math.min(height - 1, Math.floor(cy + r))
  for (let y = Math.max(0, Math.ceil(cy - r)); y <= bottom; y++) {
    const half = Math.sqrt(Math.max(0, r * r - (y - cy) * (y - cy)))
    const x0 = Math.max(0, Math.ceil(cx - half))
    const x1 = Math.min(width, Math.floor(cx + half) + 1)
    if (x0 < x1) span(y, x0, x1)
  }
}

/** Spans of the area inside an odd number of outlines, so that an outline inside another one is a hole. */
export function fillOutlines(outlines: readonly Outline[], width: number, height: number, span: Span): void {
  let low = Infinity
  let high = -Infinity
  for (const o of outlines) {
    for (let i = 1; i < o.length; i += 2) {
      low = Math.min(low, o[i]!)
      high = Math.max(high, o[i]!)
    }
  }
  const bottom = Math.min(height - 1, Math.floor(high))
  const crossings: number[] = []
  for (let y = Math.max(0, Math.ceil(low)); y <= bottom; y++) {
    crossings.length = 0
    for (const o of outlines) {
      let ax = o[o.length - 2]!
      let ay = o[o.length - 1]!
      for (let i = 0; i < o.length; i += 2) {
        const bx = o[i]!
        const by = o[i + 1]!
        if (ay <= y !== by <= y) crossings.push(ax + ((y - ay) / (by - ay)) * (bx - ax))
        ax = bx
        ay = by
      }
    }
    crossings.sort((a, b) => a - b)
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const x0 = Math.max(0, Math.ceil(crossings[i]!))
      const x1 = Math.min(width, Math.ceil(crossings[i + 1]!))
      if (x0 < x1) span(y, x0, x1)
    }
  }
}

/** A rotated rectangle of half sides a and b. */
export function rectangle(cx: number, cy: number, a: number, b: number, turns: number): Outline {
  const c = cosineOfTurns(turns)
  const s = sineOfTurns(turns)
  const corner = (u: number, v: number) => [cx + u * c - v * s, cy + u * s + v * c]
  return Float64Array.from([...corner(-a, -b), ...corner(a, -b), ...corner(a, b), ...corner(-a, b)])
}

/** A smooth star-shaped blob of mean radius r, stretched by `aspect` along a direction: a few random harmonics. */
export function blob(
  random: Random,
  cx: number,
  cy: number,
  r: number,
  aspect: number,
  turns: number,
): Outline {
  const corners = r < 12 ? 10 : 36
  const waves = Array.from({ length: 4 }, (_, k) => ({
    size: (random.normal() * 0.28) / (k + 1),
    phase: random.unit(),
  }))
  const roughness = random.chance(0.4) ? random.between(0, 0.12) : 0
  const c = cosineOfTurns(turns)
  const s = sineOfTurns(turns)
  const outline = new Float64Array(2 * corners)
  for (let i = 0; i < corners; i++) {
    const turn = i / corners
    let reach = 1 + roughness * random.normal()
    for (let k = 0; k < waves.length; k++) {
      reach += waves[k]!.size * sineOfTurns((k + 1) * turn + waves[k]!.phase)
    }
    reach = Math.max(0.15, reach) * r
    const u = reach * cosineOfTurns(turn) * aspect
    const v = (reach * sineOfTurns(turn)) / aspect
    outline[2 * i] = cx + u * c - v * s
    outline[2 * i + 1] = cy + u * s + v * c
  }
  return outline
}

/** A bent ribbon of the given half width that starts at a point: hair, grass, wires, branches. */
export function ribbon(
  random: Random,
  x: number,
  y: number,
  length: number,
  half: number,
  turns: number,
  bend: number,
): Outline {
  const joints = Math.max(3, Math.min(14, Math.ceil(length / 12)))
  const left: number[] = []
  const right: number[] = []
  let heading = turns
  for (let i = 0; i <= joints; i++) {
    const c = cosineOfTurns(heading)
    const s = sineOfTurns(heading)
    const w = half * (1 - (0.7 * i) / joints)
    left.push(x - s * w, y + c * w)
    right.unshift(x + s * w, y - c * w)
    x += (c * length) / joints
    y += (s * length) / joints
    heading += (bend * random.between(0.2, 1)) / joints
  }
  return Float64Array.from([...left, ...right])
}
