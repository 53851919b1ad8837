/**
 * Ranks of channels in the kernel: from the scale sum, the offset of the channel and, where the model is calibrated, that of
 * its kind (calibration.ts), to the record of a rank.
 */
import { when, type FunctionScope, type I32Local } from '../../lib/wasm-assembler'
import type { Code } from '../../lib/wasm-bytes'
import { constant, either, type I32, type V128 } from '../../lib/wasm-values'
import { BAND_OF_GROUP, CALIBRATION_BANDS, LEVEL_SHIFT } from '../calibration'
import {
  HIGH_ENTRIES,
  LOW_RANGE,
  LOW_SHIFT,
  OFFSET_LIMIT,
  OFFSET_SHIFT,
  RANK_HALF,
  RANK_SHIFT,
  SCALE_BITS,
} from '../context-model'
import {
  CELLS_BYTES,
  GROUP,
  LOW_ENTRIES,
  RANK,
  RANK_BYTES,
  type CalibrationLayout,
  type KernelLayout,
} from './layout'

const CELL_SHIFT = LEVEL_SHIFT - 2
const QUARTERS = [0, 1, 2, 3] as const

/** The code of a position, over its current channel; `scales` of the channel's group are known. */
export class Ranks {
  /** The record of the channel's rank. */
  readonly record: I32Local
  readonly #at: KernelLayout
  readonly #channel: I32Local
  readonly #scale: I32Local
  readonly #index: I32Local
  readonly #offset: I32Local
  /** Place of the channel's kind among the cells of its band, and where those are. */
  readonly #cell: I32Local
  readonly #band: I32Local

  constructor(at: KernelLayout, channel: I32Local, scope: FunctionScope) {
    this.#at = at
    this.#channel = channel
    this.record = scope.i32()
    this.#scale = scope.i32()
    this.#index = scope.i32()
    this.#offset = scope.i32()
    this.#cell = scope.i32()
    this.#band = scope.i32()
  }

  startGroup(group: I32): Code {
    const { calibration } = this.#at
    return calibration === null ? [] : this.#band.set(group.shiftLeft(2).load32(calibration.bands))
  }

  /** Sets the record. */
  find(): Code {
    const at = this.#at
    const [scale, index, offset, cell] = [this.#scale, this.#index, this.#offset, this.#cell]
    return [
      scale.set(
        this.#channel
          .and(GROUP - 1)
          .shiftLeft(2)
          .load32(at.scales),
      ),
      when(
        scale.below(LOW_RANGE),
        [index.set(scale.plus(LOW_RANGE).shiftRight(LOW_SHIFT)), index.set(either(index.below(0), 0, index))],
        [
          index.set(scale.shiftRight(SCALE_BITS)),
          index.set(either(index.below(HIGH_ENTRIES), index, HIGH_ENTRIES - 1).plus(LOW_ENTRIES)),
        ],
      ),
      offset.set(this.#channel.shiftLeft(2).load32(at.offsets)),
      index.set(index.shiftLeft(1).loadS16(at.fine)),
      at.calibration === null
        ? index.set(index.plus(offset.shiftRight(OFFSET_SHIFT)))
        : [
            cell.set(index.shiftRight(CELL_SHIFT).and(-4)),
            index.set(index.plus(offset.plus(this.#band.plus(cell).load32()).shiftRight(OFFSET_SHIFT))),
          ],
      index.set(index.plus(RANK_HALF).shiftRight(RANK_SHIFT)),
      index.set(either(index.below(0), 0, index)),
      index.set(either(index.below(at.rankCount), index, at.rankCount - 1)),
      this.record.set(index.times(RANK_BYTES).plus(at.ranks)),
    ]
  }

  /** Moves offsets by the drift at an address within the record. */
  learn(drift: I32): Code {
    const [offset, step] = [this.#offset, this.#index]
    const { calibration, offsets } = this.#at
    const cell = this.#cell
    return [
      step.set(drift.load32(RANK.drift)),
      offset.set(offset.plus(step)),
      offset.set(either(offset.below(OFFSET_LIMIT), offset, OFFSET_LIMIT)),
      offset.set(either(offset.below(-OFFSET_LIMIT), -OFFSET_LIMIT, offset)),
      this.#channel.shiftLeft(2).store32(offset, offsets),
      calibration === null
        ? []
        : cell.store32(cell.load32(calibration.pending).plus(step), calibration.pending),
    ]
  }

  /** The calibration takes over what the channels of a group have moved it by. */
  finishGroup(): Code {
    const { calibration } = this.#at
    if (calibration === null) return []
    const limited = (values: V128, limit: number): V128 => values.minI32(splat(limit)).maxI32(splat(-limit))
    return QUARTERS.map((quarter) => {
      const place = 16 * quarter
      const pending = constant(0).load128(calibration.pending + place)
      return [
        // Limited first, so that no sum wraps.
        this.#band.store128(
          limited(this.#band.load128(place).addI32(limited(pending, 2 * OFFSET_LIMIT)), OFFSET_LIMIT),
          place,
        ),
        constant(0).store128(splat(0), calibration.pending + place),
      ]
    })
  }
}

const splat = (value: number): V128 => constant(value).splatI32()

/** Where the bands of groups are. */
export function packCalibration(memory: ArrayBuffer, { bands, cells }: CalibrationLayout): void {
  const places = Array.from(BAND_OF_GROUP, (band) => cells + band * CELLS_BYTES)
  new Int32Array(memory, bands, places.length).set(places)
}

/** Nothing of the tile to come is known. */
export function clearCalibration(memory: ArrayBuffer, { cells, pending }: CalibrationLayout): void {
  new Uint8Array(memory, cells, CALIBRATION_BANDS.length * CELLS_BYTES).fill(0)
  new Uint8Array(memory, pending, CELLS_BYTES).fill(0)
}

/** What calibration has learned. */
export const driftedCells = (memory: ArrayBuffer, { cells, pending }: CalibrationLayout): Int32Array[] => [
  new Int32Array(memory, cells, (CALIBRATION_BANDS.length * CELLS_BYTES) / 4),
  new Int32Array(memory, pending, CELLS_BYTES / 4),
]
