/**
 * Signed, labelled, versioned messages: the one encoding that every protocol of Safelight is a table of fields in.
 *
 *   +--------+---------+--------+------------+-----------+------------+-----------+----
 *   | type   | version | suite  | length 0   | field 0   | length 1   | field 1   | ...      all little-endian
 *   | 2      | 2       | 2      | 4          | length 0  | 4          | length 1  |
 *   +--------+---------+--------+------------+-----------+------------+-----------+----
 *   body fields come first, then the proofs (signatures, MACs). A proof is made over
 *   label ‖ 0x00 ‖ type ‖ version ‖ suite ‖ body fields, where the label names the message and the proof.
 *
 * One message has one encoding. The decoder reads within bounds and throws FormatError; it allocates no more than
 * the bytes it was given.
 */
import {
  concatBytes,
  copyBytes,
  parseUtf8,
  readU16,
  readU32,
  readU64,
  u16,
  u32,
  u64,
  utf8,
} from '../lib/bytes'
import type { Bytes } from '../lib/bytes'
import { FormatError } from './errors'
import { FORMAT_VERSION, LABEL_PREFIX, SUITE_1 } from './suite'

export const MESSAGE_HEADER_BYTES = 6
const LENGTH_BYTES = 4

export interface Field<T> {
  /** Of the encoded value. */
  readonly minBytes: number
  readonly maxBytes: number
  encode(value: T): Uint8Array
  /** Given between minBytes and maxBytes bytes. Throws FormatError. */
  decode(bytes: Uint8Array): T
}

export type FieldTable = Readonly<Record<string, Field<unknown>>>
type ValueOf<F> = F extends Field<infer T> ? T : never
export type Values<F extends FieldTable> = { readonly [K in keyof F]: ValueOf<F[K]> }

export const bytesField = (length: number): Field<Bytes> => bytesBetween(length, length)

export const bytesBetween = (minBytes: number, maxBytes: number): Field<Bytes> => ({
  minBytes,
  maxBytes,
  encode: (value) => value,
  decode: copyBytes,
})

/** `length` bytes, or none at all for null. */
export const optionalBytes = (length: number): Field<Bytes | null> => ({
  minBytes: 0,
  maxBytes: length,
  encode: (value) => value ?? new Uint8Array(),
  decode(bytes) {
    if (bytes.length !== 0 && bytes.length !== length)
      throw new FormatError('bad-field', 'An optional field has neither its length nor none.')
    return bytes.length === 0 ? null : copyBytes(bytes)
  },
})

/** At most `maxBytes` of UTF-8. */
export const textField = (maxBytes: number): Field<string> => ({
  minBytes: 0,
  maxBytes,
  encode: utf8,
  decode(bytes) {
    const text = parseUtf8(bytes)
    if (text === null) throw new FormatError('bad-field', 'A text field is not UTF-8.')
    return text
  },
})

export const u16Field: Field<number> = {
  minBytes: 2,
  maxBytes: 2,
  encode: u16,
  decode: (bytes) => readU16(bytes, 0),
}

export const u32Field: Field<number> = {
  minBytes: 4,
  maxBytes: 4,
  encode: u32,
  decode: (bytes) => readU32(bytes, 0),
}

/** Below 2^53. */
export const u64Field: Field<number> = {
  minBytes: 8,
  maxBytes: 8,
  encode: u64,
  decode(bytes) {
    try {
      return readU64(bytes, 0)
    } catch (cause) {
      throw new FormatError('bad-field', 'A number is 2^53 or more.', { cause })
    }
  },
}

/** One of a fixed table of names, as u16. */
export function choiceField<const T extends Readonly<Record<string, number>>>(
  choices: T,
): Field<keyof T & string> {
  const names = Object.keys(choices) as (keyof T & string)[]
  return {
    minBytes: 2,
    maxBytes: 2,
    encode: (name) => u16(choices[name]!),
    decode(bytes) {
      const id = readU16(bytes, 0)
      const name = names.find((candidate) => choices[candidate] === id)
      if (name === undefined)
        throw new FormatError('unsupported', 'A field has a value this release does not know.')
      return name
    },
  }
}

export const idField = <T extends string>(kind: {
  readonly bytes: number
  fromBytes(bytes: Uint8Array): T
  toBytes(id: T): Uint8Array
}): Field<T> => ({
  minBytes: kind.bytes,
  maxBytes: kind.bytes,
  encode: (id) => kind.toBytes(id),
  decode: (bytes) => kind.fromBytes(bytes),
})

/** An id, or no bytes for null. */
export const optionalIdField = <T extends string>(kind: {
  readonly bytes: number
  fromBytes(bytes: Uint8Array): T
  toBytes(id: T): Uint8Array
}): Field<T | null> => ({
  minBytes: 0,
  maxBytes: kind.bytes,
  encode: (id) => (id === null ? new Uint8Array() : kind.toBytes(id)),
  decode: (bytes) => (bytes.length === 0 ? null : kind.fromBytes(bytes)),
})

function maxBytesOf(table: FieldTable): number {
  return Object.values(table).reduce((sum, field) => sum + LENGTH_BYTES + field.maxBytes, 0)
}

function encodeFields(table: FieldTable, values: Readonly<Record<string, unknown>>): Bytes {
  const parts: Uint8Array[] = []
  for (const [name, field] of Object.entries(table)) {
    const bytes = field.encode(values[name])
    if (bytes.length < field.minBytes || bytes.length > field.maxBytes)
      throw new FormatError(
        'bad-field',
        `The field ${name} must have ${field.minBytes} to ${field.maxBytes} bytes.`,
      )
    parts.push(u32(bytes.length), bytes)
  }
  return concatBytes(...parts)
}

/** Reads the table's fields from `offset`; returns the values and where they end. */
function decodeFields(
  table: FieldTable,
  bytes: Uint8Array,
  offset: number,
): { values: Record<string, unknown>; end: number } {
  const values: Record<string, unknown> = {}
  let at = offset
  for (const [name, field] of Object.entries(table)) {
    if (bytes.length - at < LENGTH_BYTES)
      throw new FormatError('truncated', `The bytes end before the field ${name}.`)
    const length = readU32(bytes, at)
    at += LENGTH_BYTES
    if (length < field.minBytes || length > field.maxBytes)
      throw new FormatError('bad-field', `The field ${name} has a length the format does not allow.`)
    if (bytes.length - at < length)
      throw new FormatError('truncated', `The bytes end within the field ${name}.`)
    values[name] = field.decode(bytes.subarray(at, at + length))
    at += length
  }
  return { values, end: at }
}

/** At most `maxItems` rows of one table: count as u16, then the fields of each row. */
export const listField = <F extends FieldTable>(row: F, maxItems: number): Field<readonly Values<F>[]> => ({
  minBytes: 2,
  maxBytes: 2 + maxItems * maxBytesOf(row),
  encode(rows) {
    if (rows.length > maxItems) throw new FormatError('too-large', `A list has more than ${maxItems} rows.`)
    return concatBytes(u16(rows.length), ...rows.map((values) => encodeFields(row, values)))
  },
  decode(bytes) {
    const count = readU16(bytes, 0)
    if (count > maxItems) throw new FormatError('too-large', `A list has more than ${maxItems} rows.`)
    const rows: Values<F>[] = []
    let at = 2
    for (let i = 0; i < count; i++) {
      const { values, end } = decodeFields(row, bytes, at)
      rows.push(values as Values<F>)
      at = end
    }
    if (at !== bytes.length) throw new FormatError('trailing-bytes', 'A list has bytes after its last row.')
    return rows
  },
})

export interface MessageType<Body extends FieldTable, Proofs extends FieldTable> {
  readonly type: number
  readonly name: string
  readonly maxBytes: number
  encode(message: Values<Body> & Values<Proofs>): Bytes
  /** The whole of `bytes`. Throws FormatError. */
  decode(bytes: Uint8Array): Values<Body> & Values<Proofs>
  /** The message at the start of zero-padded bytes: anything but zeros behind it is refused. */
  decodePadded(bytes: Uint8Array): Values<Body> & Values<Proofs>
  /** What the named proof is made over. */
  signedBytes(body: Values<Body>, proof: keyof Proofs & string): Bytes
  /** header ‖ body fields, for use as associated data. */
  bodyBytes(body: Values<Body>): Bytes
}

export function defineMessage<Body extends FieldTable, Proofs extends FieldTable>(definition: {
  readonly type: number
  readonly name: string
  readonly body: Body
  readonly proofs: Proofs
}): MessageType<Body, Proofs> {
  const { type, name, body, proofs } = definition
  const header = concatBytes(u16(type), u16(FORMAT_VERSION), u16(SUITE_1))
  const maxBytes = MESSAGE_HEADER_BYTES + maxBytesOf(body) + maxBytesOf(proofs)

  function decodePrefix(bytes: Uint8Array): { message: Values<Body> & Values<Proofs>; end: number } {
    if (bytes.length < MESSAGE_HEADER_BYTES)
      throw new FormatError('truncated', `The ${name} ends within its header.`)
    if (readU16(bytes, 0) !== type) throw new FormatError('wrong-type', `These bytes are not a ${name}.`)
    if (readU16(bytes, 2) !== FORMAT_VERSION)
      throw new FormatError('unsupported', `This ${name} has a version this release does not know.`)
    if (readU16(bytes, 4) !== SUITE_1)
      throw new FormatError('unsupported', `This ${name} has a suite this release does not know.`)
    const first = decodeFields(body, bytes, MESSAGE_HEADER_BYTES)
    const second = decodeFields(proofs, bytes, first.end)
    return {
      message: { ...first.values, ...second.values } as Values<Body> & Values<Proofs>,
      end: second.end,
    }
  }
  const bodyBytes = (values: Values<Body>): Bytes => concatBytes(header, encodeFields(body, values))

  return {
    type,
    name,
    maxBytes,
    encode: (message) => concatBytes(bodyBytes(message), encodeFields(proofs, message)),
    decode(bytes) {
      if (bytes.length > maxBytes)
        throw new FormatError('too-large', `This ${name} is longer than any can be.`)
      const { message, end } = decodePrefix(bytes)
      if (end !== bytes.length)
        throw new FormatError('trailing-bytes', `This ${name} has bytes after its last field.`)
      return message
    },
    decodePadded(bytes) {
      const { message, end } = decodePrefix(bytes)
      if (bytes.subarray(end).some((byte) => byte !== 0))
        throw new FormatError('trailing-bytes', `This ${name} has bytes after its last field.`)
      return message
    },
    signedBytes(values, proof) {
      const label = LABEL_PREFIX + name + (proof === 'signature' ? '' : `/${proof}`)
      return concatBytes(utf8(label), Uint8Array.of(0), bodyBytes(values))
    },
    bodyBytes,
  }
}
