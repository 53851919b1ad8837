import { describe, expect, it } from 'vitest'
import { abortable, isAbortError, throwIfAborted } from './abort'
import { assert, AssertionError, present } from './assert'

describe('abortable', () => {
  const never = new Promise<number>(() => undefined)

  it('passes results and errors on', async () => {
    const { signal } = new AbortController()
    expect(await abortable(Promise.resolve(5), signal)).toBe(5)
    expect(await abortable(Promise.resolve(6), undefined)).toBe(6)
    await expect(abortable(Promise.reject(new RangeError('no')), signal)).rejects.toThrow(RangeError)
  })

  it('ends as soon as the signal fires, with its reason', async () => {
    const controller = new AbortController()
    const waiting = abortable(never, controller.signal)
    controller.abort()
    await expect(waiting).rejects.toSatisfy(isAbortError)
    await expect(abortable(never, controller.signal)).rejects.toSatisfy(isAbortError)
    await expect(abortable(never, AbortSignal.abort(new RangeError('mine')))).rejects.toThrow(RangeError)
    expect(() => throwIfAborted(controller.signal)).toThrow()
    expect(() => throwIfAborted(undefined)).not.toThrow()
  })
})

describe('assertions', () => {
  it('throw their own error', () => {
    expect(() => assert(false, 'x')).toThrow(AssertionError)
    expect(() => present(null, 'x')).toThrow(AssertionError)
    expect(present(0, 'x')).toBe(0)
  })
})
