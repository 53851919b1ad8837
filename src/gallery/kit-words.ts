/** Words as people type, paste and number them. */

/** "1. Possible, 2) spice" becomes ["possible", "spice"]: numbers and punctuation fall away, case too. */
export function splitWords(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+/gu) ?? []
}

/**
 * Answers after a paste into one field: a whole kit fills every asked position, as many words as are asked fill them in
 * order, and anything else is left to the field itself (null).
 */
export function spreadPaste(text: string, positions: readonly number[], kitLength: number): string[] | null {
  const words = splitWords(text)
  if (words.length === kitLength) return positions.map((position) => words[position]!)
  return words.length > 1 && words.length === positions.length ? words : null
}

/** Which answers are wrong, as indexes; null where the words are no longer known here, after a reload. */
export function wrongAnswers(
  answers: readonly string[],
  positions: readonly number[],
  words: readonly string[] | null,
): number[] | null {
  if (words === null) return null
  return positions.flatMap((position, i) =>
    splitWords(answers[i] ?? '').join(' ') === words[position] ? [] : [i],
  )
}
