/** How far devices may differ in what a model restores. */
import type { CodecConfig } from './weights'

/**
 * The largest difference between backends in any channel of any pixel, in 255ths: none where the synthesis computes in
 * whole numbers; one where it sums floats, in another order on each, and a value may fall on either side of a half.
 */
export const largestDifference = ({ wholeActivationBits }: CodecConfig): 0 | 1 =>
  wholeActivationBits === undefined ? 1 : 0
