import { describe, expect, it } from 'vitest'
import { createScales } from './limited'

const never = new AbortController().signal

/** Tasks that run until they are let go, and the names of those that began. */
function makeTasks() {
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const task = (name: string) => () => {
    began.push(name)
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
  }
  const end = async (name: string) => {
    ends.get(name)!()
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { began, task, end }
}

const settle = () => new Promise((resolve) => setTimeout(resolve))

describe('scales', () => {
  it('let tasks in while their weights fit, in order, and a heavy one alone', async () => {
    const weighed = createScales(50)
    const { began, task, end } = makeTasks()
    const results = [
      weighed(never, 24, task('a')),
      weighed(never, 24, task('b')),
      weighed(never, 200, task('heavy')),
      weighed(never, 1, task('c')),
    ]
    await settle()
    expect(began).toEqual(['a', 'b'])
    await end('a')
    expect(began).toEqual(['a', 'b'])
    await end('b')
    expect(began).toEqual(['a', 'b', 'heavy'])
    await end('heavy')
    expect(began).toEqual(['a', 'b', 'heavy', 'c'])
    await end('c')
    expect(await Promise.all(results)).toEqual(['a', 'b', 'heavy', 'c'])
  })

  it('take the weight of a failed task off, and forget one that left', async () => {
    const weighed = createScales(10)
    const { began, task, end } = makeTasks()
    const leaving = new AbortController()
    const first = weighed(never, 10, task('first'))
    const left = weighed(leaving.signal, 10, task('left'))
    const failed = expect(weighed(never, 10, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    )
    const last = weighed(never, 10, task('last'))
    leaving.abort()
    await expect(left).rejects.toThrow()
    await end('first')
    await failed
    await settle()
    expect(began).toEqual(['first', 'last'])
    await end('last')
    expect(await Promise.all([first, last])).toEqual(['first', 'last'])
    await expect(weighed(leaving.signal, 1, task('late'))).rejects.toThrow()
  })
})
