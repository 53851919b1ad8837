import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { proceduralImage } from './procedural-images'

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

describe('procedural images', () => {
  it('are the same for the same seed and others for another', () => {
    const a = hash(proceduralImage(7, 96, 64))
    expect(hash(proceduralImage(7, 96, 64))).toBe(a)
    expect(hash(proceduralImage(8, 96, 64))).not.toBe(a)
  })

  it('are these bytes on every machine', () => {
    expect(hash(proceduralImage(1, 256, 192))).toBe('868141d7100d8eb8')
    expect(hash(proceduralImage(2, 256, 192))).toBe('4258c837ee059d02')
  })

  it.each([
    [1, 1],
    [3, 50],
    [17, 5],
  ])('come in any size: %d x %d', (width, height) => {
    for (let seed = 0; seed < 20; seed++)
      expect(proceduralImage(seed, width, height).length).toBe(3 * width * height)
  })

  it('look like photographs in number: correlated colours, smooth and busy blocks, steep spectra', () => {
    const side = 128
    const deviations: number[] = []
    let [near, far, n] = [0, 0, 0]
    const sums = { r: 0, g: 0, rr: 0, gg: 0, rg: 0 }
    for (let seed = 100; seed < 140; seed++) {
      const image = proceduralImage(seed, side, side)
      for (let y = 0; y < side; y += 16) {
        for (let x = 0; x < side; x += 16) {
          let [sum, squares] = [0, 0]
          for (let k = 0; k < 256; k++) {
            const i = 3 * ((y + (k >> 4)) * side + x + (k & 15))
            const [r, g, b] = [image[i]!, image[i + 1]!, image[i + 2]!]
            const luma = (r + g + b) / 3
            sum += luma
            squares += luma * luma
            sums.r += r
            sums.g += g
            sums.rr += r * r
            sums.gg += g * g
            sums.rg += r * g
            n++
            if (x + (k & 15) < side - 8) {
              near += (g - image[i + 4]!) ** 2
              far += (g - image[i + 25]!) ** 2
            }
          }
          deviations.push(Math.sqrt(Math.max(0, squares / 256 - (sum / 256) ** 2)))
        }
      }
    }
    const correlation =
      (sums.rg / n - (sums.r * sums.g) / n / n) /
      Math.sqrt((sums.rr / n - (sums.r / n) ** 2) * (sums.gg / n - (sums.g / n) ** 2))
    expect(correlation).toBeGreaterThan(0.75)
    const share = (limit: number): number => deviations.filter((d) => d < limit).length / deviations.length
    expect(share(4)).toBeGreaterThan(0.2)
    expect(share(4)).toBeLessThan(0.7)
    expect(share(32)).toBeLessThan(0.97)
    expect(far / near).toBeGreaterThan(2)
  })
})
