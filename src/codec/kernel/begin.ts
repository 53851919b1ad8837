/** The kernel's beginning of a position: what the neighbours foretell. */
import {
  doWhile,
  giveBack,
  loopWhile,
  wasmFunction,
  when,
  type V128Local,
  type WasmFunction,
} from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, either, type I32, type V128 } from '../../lib/wasm-values'
import { HIDDEN_CAP, MEAN_HALF, MEAN_SHIFT, NEIGHBOURS, SYMBOL_LIMIT } from '../context-model'
import { LATENTS } from '../weights'
import { beginChroma } from './chroma'
import { IntraCode } from './intra'
import { INPUT_BYTES, LayerSums } from './layers'
import { GROUP, PAIR_BYTES, ROW_BYTES, type KernelLayout } from './layout'
import { append, endList, four } from './lists'
import { beginStages } from './stages'

/** begin(west, north, northWest, northEast, active) -> 0. Predicts the means into `symbols` and the scales into `bases`. */
export function beginFunction(at: KernelLayout): WasmFunction {
  return wasmFunction('begin', 5, (given, scope) => {
    const neighbours = given.slice(0, NEIGHBOURS)
    const active = given[4]!
    const [count, value, index, weights] = [scope.i32(), scope.i32(), scope.i32(), scope.i32()]
    const sums = four(scope)
    const splat = scope.v128()
    const zero = constant(0).splatI32()

    const listPairs: Code = [
      count.set(0),
      neighbours.map((site, tap) => [
        index.set(0),
        doWhile(
          [
            value.set(site.plus(index.shiftLeft(2)).load32(at.siteSymbols)),
            count.shiftLeft(2).store32(index.plus((tap * at.means) / 2).times(PAIR_BYTES), at.pairAt),
            count.shiftLeft(2).store32(value, at.pairValues),
            count.increase(value.isNot(0)),
            index.increase(1),
          ],
          index.below(at.means / 2),
        ),
      ]),
    ]
    const sumPairs = (group: number): Code => [
      sums.map((sum) => sum.set(zero)),
      index.set(0),
      loopWhile(index.below(count), [
        splat.set(index.shiftLeft(2).load32Splat(at.pairValues)),
        weights.set(index.shiftLeft(2).load32(at.pairAt)),
        sums.map((sum, quarter) =>
          sum.set(
            sum.addI32(
              weights.load128(at.pairWeights + group * at.pairs * PAIR_BYTES + 16 * quarter).dotI16(splat),
            ),
          ),
        ),
        index.increase(1),
      ]),
    ]
    const hiddenGroup = (group: number): Code => [
      sumPairs(group),
      sums.map((sum, quarter) =>
        constant(0).store128(
          sum.shiftRightI32(MEAN_SHIFT).maxI32(zero),
          at.hiddenValues + 4 * GROUP * group + 16 * quarter,
        ),
      ),
    ]
    const limit = (bound: number): V128 => constant(bound).splatI32()
    const half = limit(MEAN_HALF)
    const meanOf = (sum: V128Local, group: number, quarter: number): V128 =>
      sum
        .addI32(half)
        .shiftRightI32(MEAN_SHIFT)
        .timesI32(constant(0).load128(at.meanGain + 4 * GROUP * group + 16 * quarter))
        .addI32(half)
        .shiftRightI32(MEAN_SHIFT)
        .minI32(limit(SYMBOL_LIMIT))
        .maxI32(limit(-SYMBOL_LIMIT))
    const meanGroup = (group: number): Code => {
      const store = (offset: number, eight: V128): Code =>
        constant(0).store128(eight, at.symbols + ROW_BYTES * group + offset)
      return when(
        active.below(GROUP * group + 1),
        [store(0, zero), store(16, zero)],
        [
          sumPairs(at.hidden / GROUP + group),
          index.set(0),
          doWhile(
            [
              value.set(index.shiftLeft(2).load32(at.hiddenValues)),
              when(value.isNot(0), [
                splat.set(value.splatI32()),
                weights.set(index.times(4 * at.means)),
                sums.map((sum, quarter) =>
                  sum.set(
                    sum.addI32(
                      weights.load128(at.meanOut + 4 * GROUP * group + 16 * quarter).timesI32(splat),
                    ),
                  ),
                ),
              ]),
              index.increase(1),
            ],
            index.below(at.hidden),
          ),
          store(0, meanOf(sums[0], group, 0).narrowI32(meanOf(sums[1], group, 1))),
          store(16, meanOf(sums[2], group, 2).narrowI32(meanOf(sums[3], group, 3))),
        ],
      )
    }
    const intra = at.intra === null ? null : { at: at.intra, code: new IntraCode(at.intra, scope) }
    const rows = { at: at.rowAt, values: at.rowValues, count }
    const listHidden = (unit: I32, firstRow: number, units: number): Code => [
      index.set(0),
      doWhile(
        [
          value.set(unit),
          value.set(either(value.below(HIDDEN_CAP), value, HIDDEN_CAP)),
          append(rows, index.plus(firstRow).times(INPUT_BYTES), value),
          index.increase(1),
        ],
        index.below(units),
      ),
    ]
    const listFeatures: Code = [
      count.set(0),
      neighbours.map((site, tap) => [
        index.set(0),
        doWhile(
          [
            value.set(site.plus(index.shiftLeft(1)).loadU16(at.siteFeatures)),
            append(rows, index.plus(tap * at.features).times(INPUT_BYTES), value),
            index.increase(1),
          ],
          index.below(at.features),
        ),
      ]),
    ]
    const listLayers: Code = [
      listHidden(index.shiftLeft(2).load32(at.hiddenValues), NEIGHBOURS * at.features, at.hidden),
      intra === null
        ? []
        : listHidden(
            index.shiftLeft(1).loadU16(intra.at.hidden),
            NEIGHBOURS * at.features + at.hidden,
            intra.at.units,
          ),
      endList(at.rowValues, count),
    ]
    const layers = new LayerSums(scope)
    const near = four(scope)
    /** Biases, and magnitudes of the channel itself at the neighbours, two of which make a pair. */
    const addSame = (low: V128, high: V128, output: I32, shift: number): Code => {
      const weights = (pair: number, half: number): V128 =>
        output.shiftLeft(2).load128(at.same + 2 * LATENTS * 2 * pair + 4 * shift + 16 * half)
      const bias = (half: number): V128 => output.shiftLeft(2).load128(at.bias + 4 * shift + 16 * half)
      const pairs = [near[0].interleaveLowI8(near[1]), near[2].interleaveLowI8(near[3])]
      const same = (half: number): V128 =>
        pairs
          .map((pair, i) => (half === 0 ? pair.extendLowU8() : pair.extendHighU8()).dotI16(weights(i, half)))
          .reduce((sum, products) => sum.addI32(products), bias(half))
      return [
        near.map((magnitudes, tap) => magnitudes.set(neighbours[tap]!.plus(output).load128(shift))),
        output.shiftLeft(2).store128(low.addI32(same(0)), at.bases + 4 * shift),
        output.shiftLeft(2).store128(high.addI32(same(1)), at.bases + 4 * shift + 16),
      ]
    }
    return [
      listPairs,
      Array.from({ length: at.hidden / GROUP }, (_, group) => hiddenGroup(group)),
      Array.from({ length: at.means / GROUP }, (_, group) => meanGroup(group)),
      at.chroma === null ? [] : beginChroma(at.chroma, neighbours, index),
      intra === null ? [] : intra.code.begin(neighbours),
      listFeatures,
      at.stages === null
        ? []
        : [
            // An entry more where their number is odd, as what follows them is no part of their list.
            [endList(at.rowValues, count), count.increase(count.and(1))],
            beginStages(at.stages, layers, rows, active),
          ],
      listLayers,
      layers.layer(active, [layers.listed(at.rowWeights, rows)], addSame),
      giveBack(0),
    ]
  })
}
