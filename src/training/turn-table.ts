/**
 * Sine and cosine of whole fractions of a turn, built from square roots and products alone, so that every engine has
 * the same table (Math.sin may differ between engines in its last bit).
 */
export const TURN = 4096

function buildTable(): Float64Array {
  // cos and sin of a quarter turn, halved again and again; then products of the rotations of each binary digit.
  const table = new Float64Array(TURN)
  const cosines: number[] = []
  const sines: number[] = []
  let c = -1
  for (let step = TURN / 2; step >= 1; step /= 2) {
    cosines.push(c)
    sines.push(step === TURN / 2 ? 0 : Math.sqrt((1 - c) * (1 + c)))
    c = Math.sqrt((1 + c) / 2)
  }
  for (let i = 0; i < TURN; i++) {
    let re = 1
    let im = 0
    for (let bit = 0; bit < cosines.length; bit++) {
      if (((i >> (cosines.length - 1 - bit)) & 1) === 0) continue
      const next = re * cosines[bit]! - im * sines[bit]!
      im = re * sines[bit]! + im * cosines[bit]!
      re = next
    }
    table[i] = im
  }
  return table
}

const table = buildTable()

/** Sine of `turns` whole turns, to the nearest 1/4096 of a turn. */
export function sineOfTurns(turns: number): number {
  return table[Math.floor((turns - Math.floor(turns)) * TURN)]!
}

export function cosineOfTurns(turns: number): number {
  return sineOfTurns(turns + 0.25)
}
