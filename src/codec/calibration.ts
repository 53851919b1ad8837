/**
 * Offsets of kinds of symbols: those in one band of channels, at one level of what the sums say of the scale. They drift
 * beside the offsets of channels (context-model.ts), so that a tile's channels learn from each other; in steps, which wrap
 * at 32 bits, where a group of 16 channels ends, so that the ranks of a group are known as it starts.
 */
import { LATENTS } from './weights'

/** First groups of 16 channels of the bands. */
export const CALIBRATION_BANDS = [0, 1, 2, 4, 7, 11, 19, 31] as const
export const CALIBRATION_LEVELS = 16
/** Levels are four tables wide; ranks come in units of 2^-8 tables. */
export const LEVEL_SHIFT = 10
/** Most tables that the levels reach. */
export const CALIBRATION_RANKS = (CALIBRATION_LEVELS << LEVEL_SHIFT) >> 8
const GROUP_SHIFT = 4
export const CALIBRATION_GROUP = 1 << GROUP_SHIFT

/** Offsets in all. */
export const CELLS = CALIBRATION_BANDS.length * CALIBRATION_LEVELS

/** Band of every group of 16 channels. */
export const BAND_OF_GROUP = Uint8Array.from(
  { length: LATENTS >> GROUP_SHIFT },
  (_, group) => CALIBRATION_BANDS.filter((first) => first <= group).length - 1,
)

/** Place of the offset of channel c among all, by band and level; `fine` is its rank before offsets, 2^-8. */
export const cellOf = (c: number, fine: number): number =>
  BAND_OF_GROUP[c >> GROUP_SHIFT]! * CALIBRATION_LEVELS + (fine >> LEVEL_SHIFT)
