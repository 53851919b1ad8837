/** `codec eval`: every picture of a folder at every rate, shared out over processes picture by picture. */
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import sharp from 'sharp'
import { createCodec } from '../codec/codec'
import type { Effort, RasterImage } from '../codec/types'
import { keptResult } from './anchor-cache'
import { ANCHORS, makeOriginal, measureAnchor, measureCodec, type Measurement } from './measure'
import { cutMiddle } from '../training/middle'
import { readModel, readyWasm } from '../training/node-model'
import { listPictures, readPicture } from './picture-files'
import { makeSealer } from './sealed'

export interface EvalOptions {
  readonly folder: string
  /** Whether JPEGs are first scaled down by two. */
  readonly halve: boolean
  /** Side of the centre that is cut out, or null for the whole picture. */
  readonly crop: number | null
  readonly qualities: readonly number[]
  readonly effort: Effort
  /** Families of ANCHORS. */
  readonly compare: readonly string[]
  readonly jobs: number
  readonly model: string | undefined
}

interface Task {
  readonly file: string
  readonly options: EvalOptions
}

/** The pixels that are coded: JPEGs halved where asked, then the centre. Alpha is not measured. */
export async function readForEval(
  file: string,
  { halve, crop }: Pick<EvalOptions, 'halve' | 'crop'>,
): Promise<RasterImage> {
  const image = { ...(await readPicture(file, halve && /\.jpe?g$/i.test(file))), hasAlpha: false }
  return crop === null ? image : cutMiddle(image, crop)
}

/** In a process of its own: measures the pictures that the parent sends, one at a time. */
export function runEvalJob(): void {
  sharp.concurrency(1)
  let codec: ReturnType<typeof createCodec> | undefined
  const sealer = makeSealer()
  const work = async ({ file, options }: Task): Promise<void> => {
    if (codec === undefined && options.qualities.length > 0) {
      await readyWasm()
      codec = createCodec((await readModel(options.model)).weights)
    }
    const original = makeOriginal(basename(file), await readForEval(file, options))
    for (const quality of options.qualities)
      process.send?.(await measureCodec({ codec: codec!, sealer, effort: options.effort }, original, quality))
    const fileHash = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    for (const anchor of options.compare.flatMap((family) => ANCHORS[family]!))
      for (const quality of anchor.qualities) {
        const key = [fileHash, options.halve, options.crop ?? 0, anchor.name, anchor.settings, quality]
        const result = await keptResult(key, () => measureAnchor(anchor, original, quality))
        process.send?.({ ...result, picture: original.name })
      }
  }
  process.on('message', (task: Task) => {
    work(task).then(
      () => process.send?.('next'),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.send?.('next')
}

/** `entry` is the program that calls runEvalJob when it is given --job. */
export async function evaluate(options: EvalOptions, entry: string): Promise<Measurement[]> {
  const waiting = await listPictures(options.folder)
  const found: Measurement[] = []
  const runJob = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(entry, ['--job'])
      child.on('message', (message: 'next' | Measurement) => {
        if (message !== 'next') {
          found.push(message)
          return
        }
        const file = waiting.shift()
        if (file === undefined) child.disconnect()
        else child.send({ file, options } satisfies Task)
      })
      child.on('error', reject)
      child.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`A job ended with ${code ?? 'no code'}.`)),
      )
    })
  await Promise.all(Array.from({ length: options.jobs }, runJob))
  return found
}
