/** A tiny training that checks itself: the loss falls, and a run cut in two ends on the same bits as a whole one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshParameters, parameterShapes } from './parameters'
import { train, type TrainOptions } from './train'
import { SMOKE_CONFIG } from './train-config'
import { validate, type RatePoint } from './validate'

/** The start is already a cosine transform with fitted tables, so that some steps gain little. */
const LEAST_FALL = 0.002

const meanCost = (points: readonly RatePoint[]): number =>
  points.reduce((sum, p) => sum + p.logCost, 0) / points.length

/** Throws where one of the two does not hold. `folder` is empty and is left with the run's files. */
export async function smokeTest(folder: string, print: (line: string) => void): Promise<void> {
  const config = SMOKE_CONFIG
  const options = (name: string, stopAfter: number): TrainOptions => ({
    out: join(folder, name),
    minutesBetweenValidations: Infinity,
    minutesBetweenCheckpoints: Infinity,
    validationCrops: 6,
    stopAfter,
    print,
  })
  const whole = await train(config, options('whole', Infinity))
  const before = await validate(freshParameters(config), config, 6)
  const [from, to] = [meanCost(before), meanCost(whole.points)]
  print(`mean logarithm of the cost ${from.toFixed(4)} at the start, ${to.toFixed(4)} at the end`)
  if (!(to < from - LEAST_FALL)) throw new Error('The loss does not fall.')
  const half = config.steps / 2
  await train(config, options('cut', half))
  await train(config, options('cut', Infinity))
  const [a, b] = ['whole', 'cut'].map((name) => readFileSync(join(folder, name, 'checkpoint.bin')))
  const least =
    16 * parameterShapes(config.codec).reduce((n, [, shape]) => n + shape.reduce((x, y) => x * y, 1), 0)
  if (a!.length < least || !a!.equals(b!)) throw new Error('A resumed run ends on other bits.')
}
