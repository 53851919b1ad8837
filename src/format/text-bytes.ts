/** Byte strings of fixed length inside JSON, kept as their base64url text. */
import { z } from 'zod'
import { parseBase64url } from '../lib/bytes'

export const wireText = (length: number) =>
  z
    .string()
    .max(Math.ceil((length * 4) / 3))
    .refine((text) => parseBase64url(text)?.length === length, { error: 'not base64url of the right length' })
