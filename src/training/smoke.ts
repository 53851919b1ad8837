/** A tiny training that checks itself: the loss falls, and a run cut in two ends on the same bits as a whole one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshParameters, parameterShapes } from './parameters'
import { train, type TrainOptions } from './train'
import { SMOKE_CONFIG } from './train-config'
import { validate, type RatePoint } from './validate'

/** Of the mean logarithm of the cost on fixed crops: 2 %, about half of what these steps gain. */
const LEAST_FALL = 0.02

const meanCost = (points: readonly RatePoint[]): number =>
  points.reduce((sum, p) => sum + p.logCost, 0) / points.length

/** Throws where one of the two does not hold. `folder` is left with the runs' files. */
export async function smokeTest(folder: string, print: (line: string) => void): Promise<void> {
  await checkFall(folder, print)
  await checkResume(folder, print)
}

function optionsFor(folder: string, stopAfter: number, print: (line: string) => void): TrainOptions {
  return {
    out: folder,
    minutesBetweenValidations: Infinity,
    minutesBetweenCheckpoints: Infinity,
    validationCrops: 6,
    stopAfter,
    print,
  }
}

async function checkFall(folder: string, print: (line: string) => void): Promise<void> {
  const config = SMOKE_CONFIG
  const trained = await train(config, optionsFor(join(folder, 'fall'), Infinity, print))
  const before = await validate(freshParameters(config), config, 6)
  const [from, to] = [meanCost(before), meanCost(trained.points)]
  print(`mean logarithm of the cost ${from.toFixed(4)} at the start, ${to.toFixed(4)} at the end`)
  if (!(to < from - LEAST_FALL)) throw new Error('The loss does not fall.')
}

async function checkResume(folder: string, print: (line: string) => void): Promise<void> {
  const config = { ...SMOKE_CONFIG, steps: 6, batch: 2 }
  const [whole, cut] = [join(folder, 'whole'), join(folder, 'cut')]
  await train(config, optionsFor(whole, Infinity, print))
  await train(config, optionsFor(cut, 3, print))
  await train(config, optionsFor(cut, Infinity, print))
  const [a, b] = [whole, cut].map((at) => readFileSync(join(at, 'checkpoint.bin')))
  const values = parameterShapes(config.codec).reduce(
    (n, [, shape]) => n + shape.reduce((x, y) => x * y, 1),
    0,
  )
  if (a!.length < 16 * values || !a!.equals(b!)) throw new Error('A resumed run ends on other bits.')
}
