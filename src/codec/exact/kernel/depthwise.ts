/**
 * The kernel's depthwise 3 x 3: eight channels at a time, taps in pairs as the matrix products take rows. Inputs have a
 * border of zeros. Weights of eight channels: bias int32 [8] | scale float32 [8] | weights int16 [5 pairs of taps, 8, 2].
 */
import { doWhile, giveBack, wasmFunction, type WasmFunction } from '../../../lib/wasm-assembler'
import type { Code } from '../../../lib/wasm-bytes'
import { clipTo, shifted } from './endings'
import { GROUP, PANEL_SCALE, PANEL_WEIGHTS } from './matrix'

export const TAPS = 9
const TAP_PAIRS = 5
export const DEPTHWISE_PANEL = PANEL_WEIGHTS + 4 * GROUP * TAP_PAIRS

/**
 * depthwise(input, rowBytes, cellBytes, panels, output, positions, limits): input is the position up and left of the
 * first, rowBytes go to the one below, cellBytes to the next, in the output too.
 */
export function depthwiseFunction(): WasmFunction {
  return wasmFunction('depthwise', 7, (given, scope) => {
    const [input, rowBytes, cellBytes, panels] = [given[0]!, given[1]!, given[2]!, given[3]!]
    const [output, positions, limits] = [given[4]!, given[5]!, given[6]!]
    const [panel, end, here] = [scope.i32(), scope.i32(), scope.i32()]
    const [first, second, a, b] = [scope.v128(), scope.v128(), scope.v128(), scope.v128()]
    const addPair = (pair: number): Code => {
      const tap = 2 * pair
      const weights = PANEL_WEIGHTS + 4 * GROUP * pair
      const load = here.load128()
      return [
        first.set(load),
        moveOn(tap),
        // The weight of a tenth tap is zero.
        tap + 1 < TAPS ? [second.set(load), moveOn(tap + 1)] : second.set(first),
        a.set(a.addI32(first.interleaveLowI16(second).dotI16(panel.load128(weights)))),
        b.set(b.addI32(first.interleaveHighI16(second).dotI16(panel.load128(weights + 16)))),
      ]
    }
    const moveOn = (tap: number): Code =>
      tap % 3 < 2 ? here.increase(cellBytes) : here.set(here.plus(rowBytes).minus(cellBytes).minus(cellBytes))
    return [
      doWhile(
        [
          [panel.set(panels), end.set(output.plus(cellBytes))],
          doWhile(
            [
              here.set(input),
              [a.set(panel.load128()), b.set(panel.load128(16))],
              Array.from({ length: TAP_PAIRS }, (_, pair) => addPair(pair)),
              [
                first.set(shifted([a, b], panel, PANEL_SCALE)[0]),
                b.set(shifted([a, b], panel, PANEL_SCALE)[1]),
              ],
              output.store128(clipTo(first.narrowI32(b), limits)),
              [panel.increase(DEPTHWISE_PANEL), input.increase(2 * GROUP), output.increase(2 * GROUP)],
            ],
            output.below(end),
          ),
          positions.increase(-1),
        ],
        positions.isNot(0),
      ),
      giveBack(0),
    ]
  })
}
