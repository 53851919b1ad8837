/**
 * The alpha plane, without loss: each row is predicted from the row above (or from the pixel before it, where that is
 * smaller), and the differences go through DEFLATE (RFC 1951, fflate). One byte a row names the predictor.
 */
import { deflateSync, Inflate } from 'fflate'
import { damaged } from './errors'

const LEFT = 1
const ABOVE = 2

/** alpha: [height, width] taken from the fourth byte of RGBA rows. */
export function encodeAlpha(rgba: Uint8ClampedArray, width: number, height: number): Uint8Array {
  const rows = new Uint8Array((width + 1) * height)
  for (let y = 0; y < height; y++) {
    const at = y * (width + 1)
    const cost = [0, 0]
    for (const [n, predictor] of [LEFT, ABOVE].entries())
      for (let x = 0; x < width; x++) cost[n]! += residual(rgba, width, x, y, predictor) === 0 ? 0 : 1
    const predictor = cost[1]! <= cost[0]! ? ABOVE : LEFT
    rows[at] = predictor
    for (let x = 0; x < width; x++) rows[at + 1 + x] = residual(rgba, width, x, y, predictor)
  }
  return deflateSync(rows, { level: 6 })
}

function residual(rgba: Uint8ClampedArray, width: number, x: number, y: number, predictor: number): number {
  const value = rgba[4 * (y * width + x) + 3]!
  const before =
    predictor === LEFT
      ? x > 0
        ? rgba[4 * (y * width + x - 1) + 3]!
        : 0
      : y > 0
        ? rgba[4 * ((y - 1) * width + x) + 3]!
        : 0
  return (value - before) & 255
}

/** What one byte of DEFLATE can become at most. */
const MOST_EXPANSION = 1032

/** Restores the plane [height, width]. Never holds more than the plane itself, nor a plane that the bytes cannot fill. */
export function decodeAlpha(bytes: Uint8Array, width: number, height: number): Uint8Array {
  const stride = width + 1
  const expected = stride * height
  if (expected > MOST_EXPANSION * (bytes.length + 1)) throw damaged('the alpha plane is cut short')
  const plane = new Uint8Array(width * height)
  let at = 0
  let predictor = 0
  const end = { reached: false }
  const take = (chunk: Uint8Array): void => {
    if (at + chunk.length > expected) throw damaged('the alpha plane is too long')
    for (const byte of chunk) {
      const x = (at % stride) - 1
      const y = (at - x - 1) / stride
      at++
      if (x < 0) {
        if (byte !== LEFT && byte !== ABOVE) throw damaged('the alpha plane names an unknown predictor')
        predictor = byte
        continue
      }
      const to = y * width + x
      const before = predictor === LEFT ? (x > 0 ? plane[to - 1]! : 0) : y > 0 ? plane[to - width]! : 0
      plane[to] = (before + byte) & 255
    }
  }
  try {
    const inflate = new Inflate((chunk, final) => {
      take(chunk)
      if (final) end.reached = true
    })
    // Small pieces bound what one push can expand to.
    const piece = 1024
    for (let from = 0; from < bytes.length; from += piece)
      inflate.push(bytes.subarray(from, from + piece), from + piece >= bytes.length)
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'CodecError') throw cause
    throw damaged('the alpha plane cannot be unpacked')
  }
  if (!end.reached || at !== expected) throw damaged('the alpha plane is cut short')
  return plane
}
