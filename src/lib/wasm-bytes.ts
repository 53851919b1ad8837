/** The bytes that WebAssembly is made of: instructions as they are composed, and LEB128 numbers. */

/** Instruction bytes, nested as they are composed. */
export type Code = number | readonly Code[]

/** LEB128, unsigned. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  do {
    const more = value > 0x7f
    bytes.push((value & 0x7f) | (more ? 0x80 : 0))
    value >>>= 7
  } while (value > 0)
  return bytes
}

/** LEB128, signed. */
export function signed(value: number): number[] {
  const bytes: number[] = []
  for (;;) {
    const byte = value & 0x7f
    value >>= 7
    if ((value === 0 && (byte & 0x40) === 0) || (value === -1 && (byte & 0x40) !== 0)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}
