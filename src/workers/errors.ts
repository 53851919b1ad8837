/** What can be wrong with a file or with this browser; messages are sentences for a person. */
export type DarkroomErrorCode =
  | 'not-image'
  | 'empty'
  | 'truncated'
  | 'too-large'
  | 'undecodable'
  | 'no-readback'
  | 'no-source'
  | 'no-engine'

const SENTENCES: Readonly<Record<DarkroomErrorCode, string>> = {
  'not-image': 'This is not a photo Safelight can read: it takes JPEG, PNG, WebP, AVIF and GIF.',
  empty: 'This file is empty.',
  truncated: 'This file is cut off: its end is missing. Copy it again from where it came from.',
  'too-large': 'This photo has more than 200 megapixels, which is more than Safelight takes.',
  undecodable: 'This photo is damaged: the browser cannot decode it.',
  'no-readback':
    'This browser alters the pixels that a page reads, to protect your privacy. Safelight would store noise instead of your photo, so it stops here.',
  'no-source': 'The photo was put away before it was done. Try it again.',
  'no-engine': 'The encryption engine did not start. Reload the page, then try again.',
}

export class DarkroomError extends Error {
  readonly code: DarkroomErrorCode

  constructor(code: DarkroomErrorCode, options?: ErrorOptions) {
    super(SENTENCES[code], options)
    this.name = 'DarkroomError'
    this.code = code
  }
}
