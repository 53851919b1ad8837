/** Runs a job for every item, at most `atOnce` at a time, and gives the results in the items' order. */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  job: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array<Result>(items.length)
  let next = 0
  async function work(): Promise<void> {
    while (next < items.length) {
      const index = next++
      results[index] = await job(items[index]!, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
  return results
}

/** Beyond this a photo is worked on by one engine at a time, so that the tab stays below 1 GB. */
const LARGE_PHOTO_PIXELS = 24_000_000

export function bandsAtOnce(width: number, height: number, workers: number): number {
  return width * height > LARGE_PHOTO_PIXELS ? 1 : workers
}
