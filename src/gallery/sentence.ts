/** The verbs of the vault reject with sentences for people; anything else gets a plain one. */
export function sentenceOf(error: unknown, otherwise = 'That did not work. Try again.'): string {
  return error instanceof Error && error.message !== '' ? error.message : otherwise
}
