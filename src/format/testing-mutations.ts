/** Hostile bytes from sound ones: blind changes, and such as know the shape of messages (message.ts) and of JSON. */
import { concatBytes, copyBytes, parseUtf8, u16, u32, utf8, type Bytes } from '../lib/bytes'
import type { Prng } from '../lib/prng'
import { MESSAGE_HEADER_BYTES } from './message'

/** Makes one hostile object; `pick` gives a sound one of the same kind. */
export type Mutate = (prng: Prng, pick: () => Uint8Array) => Bytes

const LENGTHS = [0, 1, 2, 3, 63, 255, 256, 65535, 65536, 2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const COUNTS = [0, 1, 2, 8, 9, 16, 17, 64, 65, 10_000, 65535]

const oneOf = <T>(prng: Prng, values: readonly T[]): T => values[prng.nextBelow(values.length)]!

function randomBytes(prng: Prng, length: number): Bytes {
  const bytes = new Uint8Array(length)
  prng.fill(bytes)
  return bytes
}

/** Bits, bytes, cuts, tails, runs of one byte, and the end of another object. */
export const mutateBytes: Mutate = (prng, pick) => {
  const bytes = copyBytes(pick())
  const at = prng.nextBelow(Math.max(1, bytes.length))
  const flip = (limit: number): Bytes => {
    const i = prng.nextBelow(Math.max(1, Math.min(limit, bytes.length)))
    if (i < bytes.length) bytes[i]! ^= 1 << prng.nextBelow(8)
    return bytes
  }
  switch (prng.nextBelow(7)) {
    case 0:
      return flip(bytes.length)
    case 1:
      return flip(64)
    case 2:
      return bytes.fill(prng.nextBelow(256), at, at + 1 + prng.nextBelow(32))
    case 3:
      return bytes.slice(0, at)
    case 4:
      return concatBytes(bytes, randomBytes(prng, 1 + prng.nextBelow(8)))
    case 5:
      return concatBytes(bytes, new Uint8Array(1 + prng.nextBelow(600)))
    default: {
      const other = pick()
      return concatBytes(bytes.subarray(0, at), other.subarray(prng.nextBelow(Math.max(1, other.length))))
    }
  }
}

/** Fields behind their lengths from `offset` on, as far as the lengths fit; then what is left over. */
function cutFields(bytes: Uint8Array, offset: number): { fields: Bytes[]; rest: Bytes } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const fields: Bytes[] = []
  let at = offset
  while (fields.length < 128 && at + 4 <= bytes.length) {
    const end = at + 4 + view.getUint32(at, true)
    if (end > bytes.length) break
    fields.push(bytes.slice(at + 4, end))
    at = end
  }
  return { fields, rest: bytes.slice(at) }
}

const joinFields = (fields: readonly Uint8Array[]): Bytes =>
  concatBytes(...fields.flatMap((field) => [u32(field.length), field]))

/** The same with a head before the fields: header of a message, count of a list. */
function mutateFields(prng: Prng, bytes: Uint8Array, other: Uint8Array, headBytes: number, depth = 0): Bytes {
  const { fields, rest } = cutFields(bytes, headBytes)
  const head = bytes.slice(0, headBytes)
  if (fields.length === 0) return mutateBytes(prng, () => bytes)
  const i = prng.nextBelow(fields.length)
  const field = fields[i]!
  const joined = (): Bytes => concatBytes(head, joinFields(fields), rest)
  switch (prng.nextBelow(11)) {
    case 0: // a field of another object, in its place or elsewhere
    case 1: {
      const others = cutFields(other, headBytes).fields
      fields[i] = others[prng.nextBelow(3) === 0 ? prng.nextBelow(Math.max(1, others.length)) : i] ?? field
      return joined()
    }
    case 2:
      fields[i] = prng.nextBelow(2) === 0 ? new Uint8Array(field.length) : randomBytes(prng, field.length)
      return joined()
    case 3:
      fields[i] = randomBytes(prng, Math.max(0, field.length + prng.nextBelow(9) - 4))
      return joined()
    case 4:
      fields[i] = randomBytes(prng, oneOf(prng, LENGTHS.slice(0, 9)))
      return joined()
    case 5: // a length that its bytes do not have
      return concatBytes(
        head,
        joinFields(fields.slice(0, i)),
        u32(oneOf(prng, LENGTHS)),
        joinFields(fields.slice(i + 1)),
        rest,
      )
    case 6:
      fields.splice(i, 1)
      return joined()
    case 7:
      fields.splice(i, 0, field)
      return joined()
    case 8: {
      const k = prng.nextBelow(fields.length)
      fields[i] = fields[k]!
      fields[k] = field
      return joined()
    }
    case 9: // the head: type, version, suite; or the count of rows, with or without rows to fit
      if (headBytes === 2) {
        if (prng.nextBelow(2) === 0) fields.push(...fields)
        return concatBytes(u16(oneOf(prng, COUNTS)), joinFields(fields), rest)
      }
      head.set(u16(prng.nextBelow(10)), 2 * prng.nextBelow(headBytes >> 1))
      return joined()
    default: // within a field, as if it were a list
      fields[i] = depth === 0 ? mutateFields(prng, field, other, 2, 1) : mutateBytes(prng, () => field)
      return joined()
  }
}

export const mutateMessage: Mutate = (prng, pick) => {
  if (prng.nextBelow(4) === 0) return mutateBytes(prng, pick)
  let bytes = copyBytes(pick())
  for (let left = 1 + prng.nextBelow(2); left > 0; left--)
    bytes = mutateFields(prng, bytes, pick(), MESSAGE_HEADER_BYTES)
  return bytes
}

const MEMBERS = ['__proto__', 'constructor', 'toString', 'extra', 'kind', 'n', '']
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 2 ** 53, -(2 ** 31), 1e300],
  ...['', 'A', 'AA', 'AB', 'AAAA=', '__proto__', '\u0000', '\ud800', 'é'.repeat(600), 'A'.repeat(100_000)],
  ...[[], {}, [[]], { kind: 'photo' }, Array.from({ length: 600 }, () => 'AAAA')],
]
const NUMBERS = ['1e400', '-0', '1e21', '1E-7', '00', '9007199254740993', '1.0', '-1']

/** Text that JSON.parse may take: members and items gone, doubled, renamed or of another kind, and blind changes. */
export const mutateJson: Mutate = (prng, pick) => {
  const text = parseUtf8(pick()) ?? ''
  switch (prng.nextBelow(8)) {
    case 0:
      return mutateBytes(prng, () => utf8(text))
    case 1:
      return utf8(text.replace(/\d+/, () => oneOf(prng, NUMBERS)))
    case 2: {
      const deep = 2 ** prng.nextBelow(11)
      return utf8(text.replace(/}$/, `,"deep":${'['.repeat(deep)}${']'.repeat(deep)}}`))
    }
    default: {
      const root = JSON.parse(text) as unknown
      for (let left = 1 + prng.nextBelow(2); left > 0; left--) mutateValue(prng, root)
      return utf8(JSON.stringify(root))
    }
  }
}

/** Changes something within an object or an array, in place. */
function mutateValue(prng: Prng, value: unknown): void {
  if (value === null || typeof value !== 'object') return
  const inside = value as Record<string, unknown>
  const names = Object.keys(inside)
  const name = names.length === 0 ? 'extra' : oneOf(prng, names)
  const member = inside[name]
  const put = (key: string, item: unknown): void => {
    const value = structuredClone(item) // what is changed later must be this one alone
    Object.defineProperty(inside, key, { value, enumerable: true, configurable: true, writable: true })
  }
  switch (prng.nextBelow(8)) {
    case 0:
      if (Array.isArray(value)) value.splice(Number(name), 1)
      else Reflect.deleteProperty(inside, name)
      return
    case 1:
      if (Array.isArray(value))
        value.push(...Array.from({ length: 1 + prng.nextBelow(600) }, () => structuredClone(member)))
      else put(oneOf(prng, MEMBERS), member)
      return
    case 2:
      put(Array.isArray(value) ? name : oneOf(prng, MEMBERS), oneOf(prng, VALUES))
      return
    case 3:
      put(name, oneOf(prng, VALUES))
      return
    case 4:
    case 5:
      if (typeof member === 'string') put(name, mutateText(prng, member))
      else mutateValue(prng, member)
      return
    default:
      mutateValue(prng, member)
  }
}

function mutateText(prng: Prng, text: string): string {
  const at = prng.nextBelow(text.length + 1)
  switch (prng.nextBelow(4)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return (
        text.slice(0, at) + oneOf(prng, ['A', '_', '-', '=', '+', '/', ' ', 'é', '\n']) + text.slice(at + 1)
      )
    case 2:
      return text + oneOf(prng, ['A', 'AA', '=', ' '])
    default:
      return text.slice(0, -1) + oneOf(prng, ['A', 'B', 'Q', 'g', 'w', '_'])
  }
}
