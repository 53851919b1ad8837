/** The drawn test pictures and the strings in them that must never reach the vault. See scripts/fixtures.mjs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

function folder(): string {
  const path = process.env['SAFELIGHT_FIXTURES']
  if (path === undefined)
    throw new Error('Run the journeys with `npm run test:e2e`: it draws the pictures first.')
  return path
}

export const picture = (name: string): string => join(folder(), name)

export interface Canary {
  readonly fileName: string
  readonly description: string
  readonly latitude: string
  readonly longitude: string
}

export const readCanary = (): Canary => JSON.parse(readFileSync(picture('canary.json'), 'utf8')) as Canary

export const GOOD = [
  'paper-moon.png',
  'river.webp',
  'dunes.avif',
  'signal.gif',
  'one-pixel.png',
  'very-wide.png',
] as const
export const BAD = ['truncated.jpg', 'empty.jpg', 'notes.jpg', 'boastful.png'] as const
