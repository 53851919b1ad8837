import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitWords, spreadPaste, wrongAnswers } from './kit-words'

const KIT = Array.from({ length: 24 }, (_, i) => `word${'abcdefghijklmnopqrstuvwx'[i]!}`)
const ASKED = [3, 11, 19]

describe('words as people write them', () => {
  it('lets numbers, punctuation, lines and case fall away', () => {
    expect(splitWords(' 1. Possible,\n2) spice\t3 MOUNTAIN ')).toEqual(['possible', 'spice', 'mountain'])
    expect(splitWords('12 ... 7')).toEqual([])
  })

  it('reads a numbered kit back whatever stands between the words', () => {
    const between = fc.constantFrom(' ', '\n', ', ', '\t', ' - ')
    fc.assert(
      fc.property(between, fc.boolean(), (gap, numbered) => {
        const text = KIT.map((word, i) => (numbered ? `${i + 1}. ${word}` : word)).join(gap)
        expect(splitWords(text)).toEqual(KIT)
      }),
    )
  })
})

describe('pasting into the proof', () => {
  it('takes the asked words out of a whole kit', () => {
    expect(spreadPaste(KIT.join(' '), ASKED, 24)).toEqual(['wordd', 'wordl', 'wordt'])
  })
  it('takes three words in order, and leaves one word or odd counts to the field', () => {
    expect(spreadPaste('one two three', ASKED, 24)).toEqual(['one', 'two', 'three'])
    expect(spreadPaste('one', ASKED, 24)).toBeNull()
    expect(spreadPaste('one two', ASKED, 24)).toBeNull()
  })
})

describe('wrong words', () => {
  it('names the ones that differ', () => {
    expect(wrongAnswers([' Wordd', 'zoo', 'wordt '], ASKED, KIT)).toEqual([1])
    expect(wrongAnswers(['wordd', 'wordl', 'wordt'], ASKED, KIT)).toEqual([])
  })
  it('cannot tell when the kit is not here', () => {
    expect(wrongAnswers(['a', 'b', 'c'], ASKED, null)).toBeNull()
  })
})
