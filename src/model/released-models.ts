/**
 * The released models, newest first. New photos are sealed with the first; a photo of an older one is restored with the
 * model that its artifact names. A line is never changed and never removed: a Decrypter is forever.
 */
export interface ReleasedModel {
  /** Its folder in models/, and its name in model.json: `safelight-v` and a number. */
  readonly name: string
  /** SHA-256 of its files, hexadecimal (format/model-id.ts); known before any of them is here. */
  readonly id: string
}

export const RELEASED_MODELS: readonly [ReleasedModel, ...ReleasedModel[]] = [
  { name: 'safelight-v5', id: '892ae1f079a3c61922175e6b52cb82db8081e21b5eac01648feada62e2fdca5a' },
  { name: 'safelight-v4', id: '925f3c49f155cdadbe401ee9a3109d6271c06fae79f421cbbe1da3560ca01050' },
  { name: 'safelight-v3', id: '5a55fa2be32088c9f411595783a0b380289645ec3acb0949e265411b67fce81d' },
  { name: 'safelight-v2', id: '52891aae6a8a720b9bc8146958c45363bcf723d9c26bd64faf504f418bf3be7e' },
  { name: 'safelight-v1', id: '43c592056e4122c9ee388fa6c2db9d0c66ebe5ff1dec938088339f3eccd44489' },
]

export const NEWEST_MODEL = RELEASED_MODELS[0]
