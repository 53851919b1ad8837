import { inflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { makePrng } from '../lib/prng'
import type { PhotoRows } from './photo-source'
import { plainPng, startPng } from './png'

/** Chunks by name, in order, once their CRCs were checked. */
function chunksOf(file: Buffer): [string, Buffer][] {
  const chunks: [string, Buffer][] = []
  expect(file.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at)
    const named = file.subarray(at + 4, at + 8 + length)
    expect(file.readUInt32BE(at + 8 + length)).toBe(crcBit(named))
    chunks.push([named.toString('latin1', 0, 4), named.subarray(4)])
    at += 12 + length
  }
  return chunks
}

/** CRC-32 of ISO 3309, a bit at a time. */
function crcBit(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) {
      const isOne = ((c ^ (byte >>> bit)) & 1) === 1
      c = isOne ? (c >>> 1) ^ 0xedb88320 : c >>> 1
    }
  return ~c >>> 0
}

/** Undoes the filters of PNG §9.4 that the writer uses. */
function samplesOf(data: Buffer, stride: number, channels: number): number[] {
  const rows: number[][] = [new Array<number>(stride).fill(0)]
  for (let at = 0; at < data.length; at += 1 + stride) {
    expect(data[at]).toBe(4)
    const above = rows.at(-1)!
    const row: number[] = []
    for (let i = 0; i < stride; i++) {
      const [a, b, c] = [row[i - channels] ?? 0, above[i]!, above[i - channels] ?? 0]
      const guess = [a, b, c].reduce((best, each) =>
        Math.abs(a + b - c - each) < Math.abs(a + b - c - best) ? each : best,
      )
      row.push((data[at + 1 + i]! + guess) & 255)
    }
    rows.push(row)
  }
  return rows.slice(1).flat()
}

function drawRows(width: number, height: number, hasAlpha: boolean): PhotoRows {
  const prng = makePrng(7)
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 && !hasAlpha ? 255 : (i >> 3) + prng.nextBelow(90),
  )
  return { width, height, hasAlpha, colorSpace: 'srgb', data }
}

const slice = (rows: PhotoRows, y0: number, y1: number): PhotoRows => ({
  ...rows,
  height: y1 - y0,
  data: rows.data.slice(4 * rows.width * y0, 4 * rows.width * y1),
})

async function write(rows: PhotoRows, cuts: readonly number[]): Promise<[string, Buffer][]> {
  const png = startPng(rows)
  const edges = [0, ...cuts, rows.height]
  for (const [i, y1] of edges.slice(1).entries()) await png.add(slice(rows, edges[i]!, y1))
  return chunksOf(Buffer.from(await (await png.finish()).arrayBuffer()))
}

describe('PNG files', () => {
  it.each([true, false])('hold every sample, however the rows come (alpha: %s)', async (hasAlpha) => {
    const rows = drawRows(37, 200, hasAlpha)
    const channels = hasAlpha ? 4 : 3
    const expected = [...rows.data].filter((_, i) => hasAlpha || i % 4 !== 3)
    for (const cuts of [[], [1, 65, 130]]) {
      const chunks = await write(rows, cuts)
      const idat = Buffer.concat(chunks.filter(([name]) => name === 'IDAT').map(([, data]) => data))
      expect(samplesOf(inflateSync(idat), channels * 37, channels)).toEqual(expected)
      const [size] = chunks
      expect(size?.[1].readUInt32BE(0)).toBe(37)
      expect(size?.[1].readUInt32BE(4)).toBe(200)
      expect([...size![1].subarray(8)]).toEqual([8, hasAlpha ? 6 : 2, 0, 0, 0])
      expect(chunks.at(-1)).toEqual(['IEND', Buffer.alloc(0)])
    }
  })

  it.each([
    [1, 1, false],
    [37, 20, true],
    [320, 213, false],
  ])('may be stored as they are, %i x %i (alpha: %s)', async (width, height, hasAlpha) => {
    const rows = drawRows(width, height, hasAlpha)
    const file = Buffer.from(await plainPng(rows).arrayBuffer())
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
    expect(info).toMatchObject({ width, height, channels: hasAlpha ? 4 : 3 })
    expect([...data]).toEqual([...rows.data].filter((_, i) => hasAlpha || i % 4 !== 3))
    const idat = chunksOf(file).filter(([name]) => name === 'IDAT')
    expect(inflateSync(idat[0]![1]).length).toBe(height * (1 + (hasAlpha ? 4 : 3) * width))
  })

  it('name their colour space', async () => {
    const names = async (colorSpace: PhotoRows['colorSpace']) => {
      const chunks = await write({ ...drawRows(1, 1, false), colorSpace }, [])
      return [...new Set(chunks.map(([name]) => name))]
    }
    expect(await names('srgb')).toEqual(['IHDR', 'sRGB', 'IDAT', 'IEND'])
    expect(await names('display-p3')).toEqual(['IHDR', 'cICP', 'gAMA', 'cHRM', 'IDAT', 'IEND'])
  })
})
