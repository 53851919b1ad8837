/** The card of a trained model: what it is, how it was made, and what it reaches. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { TrainConfig } from './train-config'
import type { RatePoint } from './validate'

export interface CardFacts {
  readonly config: TrainConfig
  readonly backend: string
  readonly step: number
  /** Of this run; a resumed training counts from its last start. */
  readonly hours: number
  readonly points: readonly RatePoint[]
}

/** Writes card.md and rd.json into a model's folder, after its other files. */
export function writeCard(folder: string, facts: CardFacts): Promise<void> {
  const files = ['model.json', 'weights.bin', 'cdf.bin']
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  const rows = facts.points.map(
    (p) => `| ${p.quality.toFixed(0)} | ${p.bpp.toFixed(4)} | ${p.psnrDb.toFixed(2)} |`,
  )
  const lines = [
    '# Model card',
    '',
    `Trained on procedural images alone (src/training/procedural-images.ts), ${facts.step} steps of ${facts.config.batch} crops of`,
    `${facts.config.size} x ${facts.config.size} pixels, seed ${facts.config.seed}, ${facts.hours.toFixed(2)} hours on the ${facts.backend} backend with`,
    `${facts.config.workers} worker(s), ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}.`,
    '',
    '## Rate and distortion on procedural validation crops (ideal code length)',
    '',
    '| quality | bpp | PSNR-RGB dB |',
    '|---|---|---|',
    ...rows,
    '',
    '## Files, SHA-256',
    '',
    ...files.map((name) => `- ${name}: ${hash(name)}`),
    '',
    '## Configuration',
    '',
    '```json',
    JSON.stringify(facts.config, null, 2),
    '```',
    '',
  ]
  writeFileSync(join(folder, 'card.md'), lines.join('\n'))
  writeFileSync(join(folder, 'rd.json'), JSON.stringify(facts.points, null, 1))
  return Promise.resolve()
}
