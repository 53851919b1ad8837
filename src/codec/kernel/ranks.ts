/**
 * Ranks of channels in the kernel: from the scale sum, the offset of the channel and, where the model is calibrated, that of
 * its kind (calibration.ts), to the record of a rank; one by one, or those of a group side by side.
 */
import { when, type FunctionScope, type I32Local, type V128Local } from '../../lib/wasm-assembler'
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
import type { Quantizer } from '../dependent-quantization'
import {
  CELLS_BYTES,
  GROUP,
  LOW_ENTRIES,
  RANK,
  RANK_BYTES,
  type CalibrationLayout,
  type KernelLayout,
  type TrellisLayout,
} from './layout'
import type { States } from './states'

const CELL_SHIFT = LEVEL_SHIFT - 2
const QUARTERS = [0, 1, 2, 3] as const

/** The code of a position, over its current channel; `scales` of the channel's group are known. */
export class Ranks {
  /** The record of the channel's rank. */
  readonly record: I32Local
  readonly #at: KernelLayout
  readonly #channel: I32Local
  readonly #states: States | null
  readonly #scale: I32Local
  readonly #index: I32Local
  readonly #offset: I32Local
  /** Place of the channel's kind among the cells of its band, and where those are. */
  readonly #cell: I32Local
  readonly #band: I32Local
  readonly #low: V128Local
  readonly #high: V128Local
  readonly #eight: V128Local
  readonly #offsets: V128Local

  constructor(at: KernelLayout, channel: I32Local, states: States | null, scope: FunctionScope) {
    this.#at = at
    this.#channel = channel
    this.#states = states
    this.record = scope.i32()
    this.#scale = scope.i32()
    this.#index = scope.i32()
    this.#offset = scope.i32()
    this.#cell = scope.i32()
    this.#band = scope.i32()
    this.#low = scope.v128()
    this.#high = scope.v128()
    this.#eight = scope.v128()
    this.#offsets = scope.v128()
  }

  startGroup(group: I32): Code {
    const { calibration } = this.#at
    return calibration === null ? [] : this.#band.set(group.shiftLeft(2).load32(calibration.bands))
  }

  /** Sets the record, as of the first quantizer; calibrated for the one that serves unless told. */
  find(quantizer?: Quantizer): Code {
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
      this.#findOffset(),
      index.set(index.shiftLeft(1).loadS16(at.fine)),
      at.calibration === null
        ? index.set(index.plus(offset.shiftRight(OFFSET_SHIFT)))
        : [
            cell.set(index.shiftRight(CELL_SHIFT).and(-4).plus(this.#cellsOf(quantizer))),
            index.set(index.plus(offset.plus(this.#band.plus(cell).load32()).shiftRight(OFFSET_SHIFT))),
          ],
      index.set(index.plus(RANK_HALF).shiftRight(RANK_SHIFT)),
      index.set(either(index.below(0), 0, index)),
      index.set(either(index.below(at.rankCount), index, at.rankCount - 1)),
      this.record.set(index.times(RANK_BYTES).plus(at.ranks)),
    ]
  }

  #findOffset(): Code {
    return this.#offset.set(this.#channel.shiftLeft(2).load32(this.#at.offsets))
  }

  #cellsOf(quantizer?: Quantizer): I32 {
    if (quantizer !== undefined) return constant(quantizer * CELLS_BYTES)
    return this.#states?.word.and(CELLS_BYTES) ?? constant(0)
  }

  /** Keeps records of all channels of the group, before any of them is put. */
  keepAll(trellis: TrellisLayout): Code {
    const [low, high, eight] = [this.#low, this.#high, this.#eight]
    const fine = [low, high]
      .flatMap((index) => QUARTERS.map((lane) => index.laneI32(lane)))
      .reduce((all, address, lane) => all.loadLaneI16(address, this.#at.fine, lane), splat(0))
    return [0, 2].map((quarter) => [
      [this.#setFinePlaces(low, quarter), this.#setFinePlaces(high, quarter + 1)],
      eight.set(fine),
      [low.set(eight.extendLowI16()), high.set(eight.extendHighI16())],
      [this.#keepFour(low, quarter, trellis), this.#keepFour(high, quarter + 1, trellis)],
    ])
  }

  #setFinePlaces(place: V128Local, quarter: number): Code {
    return [
      place.set(constant(0).load128(this.#at.scales + 16 * quarter)),
      place.set(
        place
          .addI32(splat(LOW_RANGE))
          .shiftRightI32(LOW_SHIFT)
          .maxI32(splat(0))
          .where(
            place.belowI32(splat(LOW_RANGE)),
            place
              .shiftRightI32(SCALE_BITS)
              .minI32(splat(HIGH_ENTRIES - 1))
              .addI32(splat(LOW_ENTRIES)),
          )
          .shiftLeftI32(1),
      ),
    ]
  }

  /** Of fine ranks before offsets. */
  #keepFour(fine: V128Local, quarter: number, { records, cells, lift }: TrellisLayout): Code {
    const { rankCount, ranks, offsets, calibration } = this.#at
    const place = this.#channel.shiftLeft(2)
    const [sums, cell] = [this.#offsets, this.#eight]
    const keep = (offset: V128, to: number): Code =>
      place.store128(
        fine
          .addI32(offset.shiftRightI32(OFFSET_SHIFT))
          .addI32(splat(RANK_HALF))
          .shiftRightI32(RANK_SHIFT)
          .maxI32(splat(0))
          .minI32(splat(rankCount - 1))
          .shiftLeftI32(Math.log2(RANK_BYTES))
          .addI32(splat(ranks)),
        to + 16 * quarter,
      )
    const kept = place.load128(offsets + 16 * quarter)
    if (calibration === null) return keep(kept, records)
    const calibrated = ([0, 1] as const).map((quantizer) => {
      const found = QUARTERS.map((lane) => this.#band.plus(cell.laneI32(lane))).reduce(
        (all, address, lane) => all.loadLaneI32(address, quantizer * CELLS_BYTES, lane),
        splat(0),
      )
      return keep(sums.addI32(found), records + quantizer * lift)
    })
    return [
      sums.set(kept),
      cell.set(fine.shiftRightI32(CELL_SHIFT).and(splat(-4))),
      place.store128(cell, cells + 16 * quarter),
      calibrated,
    ]
  }

  /** Keeps the record of the channel once more, after others of its group moved its scale. */
  keep({ records, lift }: TrellisLayout): Code {
    const keepOf = (quantizer: Quantizer): Code =>
      this.#channel.shiftLeft(2).store32(this.record, records + quantizer * lift)
    if (this.#at.calibration === null) return [this.find(), keepOf(0)]
    return [this.find(1), keepOf(1), this.find(0), keepOf(0)]
  }

  /** Sets the record, and what `learn` needs, as kept; of the quantizer that serves. */
  recall({ records, cells, lift }: TrellisLayout): Code {
    const place = this.#channel.shiftLeft(2)
    if (this.#at.calibration === null) return [this.record.set(place.load32(records)), this.#findOffset()]
    return [
      this.record.set(place.plus(this.#states!.word.and(lift)).load32(records)),
      this.#cell.set(place.load32(cells).plus(this.#cellsOf())),
      this.#findOffset(),
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
    const places = Array.from({ length: calibration.quantizers }, (_, quantizer) =>
      QUARTERS.map((quarter) => quantizer * CELLS_BYTES + 16 * quarter),
    )
    return places.flat().map((place) => {
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
export function packCalibration(memory: ArrayBuffer, { bands, cells, quantizers }: CalibrationLayout): void {
  const places = Array.from(BAND_OF_GROUP, (band) => cells + band * quantizers * CELLS_BYTES)
  new Int32Array(memory, bands, places.length).set(places)
}

/** Nothing of the tile to come is known. */
export function clearCalibration(
  memory: ArrayBuffer,
  { cells, pending, quantizers }: CalibrationLayout,
): void {
  new Uint8Array(memory, cells, CALIBRATION_BANDS.length * quantizers * CELLS_BYTES).fill(0)
  new Uint8Array(memory, pending, quantizers * CELLS_BYTES).fill(0)
}
