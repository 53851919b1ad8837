/** Section 0 of an artifact: which sections it has, where they lie and how long they truly are; what the picture is. */
import { HEADER_BYTES, INDEX_BYTES, SECTION, sealedLength, THUMBNAIL_OFFSET } from './artifact'
import { FormatError } from './errors'
import { bytesBetween, choiceField, defineMessage, listField, u16Field, u32Field, u64Field } from './message'
import { MESSAGE_TYPE } from './message-types'
import { MAX_SECTION_BYTES, paddedSectionLength, PADDING_RULE, type PaddingRule } from './padding'
import type { Bytes } from '../lib/bytes'

/** As many as fit the index, whose length is fixed. */
export const MAX_SECTIONS = 8
/** Set on a section without which the artifact must not be opened; a reader that does not know its id refuses. */
export const SECTION_CRITICAL = 1

const section = {
  id: u16Field,
  flags: u16Field,
  /** Of the first sealed byte, from the start of the artifact. */
  offset: u64Field,
  paddedBytes: u64Field,
  trueBytes: u64Field,
}

const indexMessage = defineMessage({
  type: MESSAGE_TYPE.artifactIndex,
  name: 'artifact-index',
  body: {
    width: u32Field,
    height: u32Field,
    quality: u16Field,
    paddingRule: choiceField(PADDING_RULE),
    sections: listField(section, MAX_SECTIONS),
    /** Kept through a rewrite; empty in this release. */
    extension: bytesBetween(0, 32),
  },
  proofs: {},
})

export type ArtifactIndex = ReturnType<typeof indexMessage.decode>
export type SectionEntry = ArtifactIndex['sections'][number]

export interface SectionPlan {
  readonly id: number
  readonly flags: number
  readonly trueBytes: number
}

/** Thumbnail first, so that its place is fixed; then by rising id. */
const place = (id: number) => (id === SECTION.thumbnail ? -1 : id)

/** Lays sections out one behind the other. */
export function layOutSections(rule: PaddingRule, plans: readonly SectionPlan[]): readonly SectionEntry[] {
  let offset = THUMBNAIL_OFFSET
  return [...plans]
    .sort((a, b) => place(a.id) - place(b.id))
    .map(({ id, flags, trueBytes }) => {
      const paddedBytes = paddedSectionLength(rule, id, trueBytes)
      const entry = { id, flags, offset, paddedBytes, trueBytes }
      offset += sealedLength(paddedBytes)
      return entry
    })
}

/** Length of the whole artifact. */
export function artifactLength(index: ArtifactIndex): number {
  return index.sections.reduce(
    (sum, { paddedBytes }) => sum + sealedLength(paddedBytes),
    HEADER_BYTES + sealedLength(INDEX_BYTES),
  )
}

export function encodeIndex(index: ArtifactIndex): Bytes {
  const bytes = indexMessage.encode(index)
  if (bytes.length > INDEX_BYTES) throw new FormatError('too-large', 'The index of an artifact is too long.')
  const padded = new Uint8Array(INDEX_BYTES)
  padded.set(bytes)
  return padded
}

/** From the opened, unmasked section 0. Throws FormatError where the table is not the one layOutSections gives. */
export function decodeIndex(padded: Uint8Array): ArtifactIndex {
  if (padded.length !== INDEX_BYTES)
    throw new FormatError('truncated', 'The index of an artifact has a wrong length.')
  const index = indexMessage.decodePadded(padded)
  const known: readonly number[] = Object.values(SECTION)
  for (const { id, flags, trueBytes } of index.sections) {
    if (id === SECTION.index || trueBytes > MAX_SECTION_BYTES)
      throw new FormatError('bad-field', 'The index of an artifact has an impossible section.')
    if ((flags & SECTION_CRITICAL) !== 0 && !known.includes(id))
      throw new FormatError('unsupported', 'This artifact has a section this release must know and does not.')
  }
  const planned = layOutSections(PADDING_RULE[index.paddingRule], index.sections)
  const fits = planned.every((entry, i) => {
    const given = index.sections[i]!
    return (
      (i === 0 || planned[i - 1]!.id !== entry.id) &&
      given.id === entry.id &&
      given.offset === entry.offset &&
      given.paddedBytes === entry.paddedBytes
    )
  })
  if (!fits) throw new FormatError('bad-field', 'The index of an artifact does not fit its sections.')
  return index
}
