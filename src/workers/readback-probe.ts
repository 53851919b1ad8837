/** Whether a canvas gives back what was drawn on it. Privacy browsers add noise to read-back; photos would become noise. */

const SIDE = 64

/** Draws every value of every channel and reads it back. */
function probe(): boolean {
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) return false
  const drawn = new ImageData(SIDE, SIDE)
  for (let i = 0; i < SIDE * SIDE; i++) {
    drawn.data[4 * i] = i
    drawn.data[4 * i + 1] = i * 7 + (i >> 8)
    drawn.data[4 * i + 2] = 255 - i * 3
    drawn.data[4 * i + 3] = 255
  }
  context.putImageData(drawn, 0, 0)
  const read = context.getImageData(0, 0, SIDE, SIDE).data
  return drawn.data.every((value, i) => read[i] === value)
}

let exact: boolean | null = null

export function canvasReadbackIsExact(): boolean {
  exact ??= probe()
  return exact
}
