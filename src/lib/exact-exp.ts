/**
 * exp and exp2 to within an ulp or two, the same bits on every engine: Math.exp, Math.pow and ** may differ in the last
 * bits between engines, and so would whatever is rounded from them. Only + - * / and floor, which IEEE 754 fixes.
 */

const LOG2_E = 1.4426950408889634
const LN_2 = 0.6931471805599453
/** LN_2 in two parts, of which the first has so few bits that whole multiples of it are exact. */
const LN_2_HIGH = 0.69314718036912381649
const LN_2_LOW = 1.90821492927058770002e-10
/** The power series on [-ln 2 / 2, ln 2 / 2] ends here: the next term is below 2^-57. */
const TERMS = 14

export function exp(x: number): number {
  const n = Math.floor(x * LOG2_E + 0.5)
  return series(x - n * LN_2_HIGH - n * LN_2_LOW) * powerOfTwo(n)
}

export function exp2(x: number): number {
  const n = Math.floor(x + 0.5)
  return series((x - n) * LN_2) * powerOfTwo(n)
}

function series(x: number): number {
  let sum = 1
  for (let k = TERMS; k > 0; k--) sum = 1 + (sum * x) / k
  return sum
}

/** 2^n, exactly. */
export function powerOfTwo(n: number): number {
  const factor = n < 0 ? 0.5 : 2
  let power = 1
  for (let left = Math.abs(n); left > 0 && power !== 0 && power !== Infinity; left--) power *= factor
  return power
}
