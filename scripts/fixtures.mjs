/**
 * The pictures of the journeys, drawn from a seed: landscapes with sun, hills and grain, in every format the app
 * takes, and the files it must refuse. Nobody's photographs, and no binary files in the repository.
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { root } from './parts/run.mjs'

const FOLDER = resolve(root, '.cache/fixtures-2')

/** Strings and numbers that must never turn up in the vault. */
export const CANARY = {
  fileName: 'quokka-at-lighthouse-7f3a91.jpg',
  description: 'CANARY-marmalade-zeppelin-5512',
  latitude: '47/1 33/1 184467/1000',
  longitude: '13/1 38/1 709551/1000',
}

/** Mulberry32: 0 <= x < 1. */
function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function hill(next, width, height, level) {
  const points = []
  const phases = [next() * 7, next() * 7, next() * 7]
  for (let step = 0; step <= 60; step++) {
    const x = (step / 60) * width
    const wave =
      Math.sin(step / 9 + phases[0]) * 0.5 +
      Math.sin(step / 4 + phases[1]) * 0.2 +
      Math.sin(step / 1.7 + phases[2]) * 0.05
    points.push(`${x.toFixed(1)},${(height * (level + wave * 0.09)).toFixed(1)}`)
  }
  return `0,${height} ${points.join(' ')} ${width},${height}`
}

/** Sky above, sky at the horizon, hue of the land. */
const MOODS = [
  ['#1d3557', '#f4a261', 205],
  ['#355070', '#eaac8b', 265],
  ['#5b8fb9', '#e8eef2', 150],
  ['#264653', '#e9c46a', 175],
  ['#6d597a', '#ffcdb2', 340],
  ['#2b4c7e', '#d6e4f0', 215],
  ['#7f5539', '#ffe8b5', 25],
  ['#22577a', '#c7f9cc', 130],
]

function landscapeSvg(seed, width, height) {
  const next = random(seed)
  const [above, horizon, warm] = MOODS[seed % MOODS.length]
  const sun = { x: width * (0.2 + next() * 0.6), y: height * (0.25 + next() * 0.2), r: height * 0.09 }
  const hills = [0.5, 0.6, 0.7, 0.82]
    .map(
      (level, depth) =>
        `<polygon points="${hill(next, width, height, level)}" fill="hsl(${warm},${22 + depth * 6}%,${46 - depth * 11}%)"/>`,
    )
    .join('')
  const trees = Array.from({ length: 40 }, () => {
    const x = next() * width
    const y = height * (0.8 + next() * 0.2)
    const tall = height * (0.03 + next() * 0.07)
    return `<polygon points="${x - tall / 3},${y} ${x},${y - tall} ${x + tall / 3},${y}" fill="hsl(${warm},35%,${8 + next() * 10}%)"/>`
  }).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
  <defs><linearGradient id="s" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${above}"/>
  <stop offset="0.55" stop-color="${horizon}"/></linearGradient>
  <radialGradient id="g"><stop offset="0" stop-color="#fff" stop-opacity="0.7"/><stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient></defs>
  <rect width="100%" height="100%" fill="url(#s)"/><circle cx="${sun.x}" cy="${sun.y}" r="${sun.r * 4}" fill="url(#g)"/>
  <circle cx="${sun.x}" cy="${sun.y}" r="${sun.r}" fill="#fff3d6"/>${hills}${trees}</svg>`
}

/** RGB rows with a little sensor noise. */
async function landscape(seed, width, height) {
  const { data } = await sharp(Buffer.from(landscapeSvg(seed, width, height)))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const next = random(seed + 1)
  for (let at = 0; at < data.length; at++)
    data[at] = Math.max(0, Math.min(255, data[at] + Math.round((next() + next() - 1) * 5)))
  return sharp(data, { raw: { width, height, channels: 3 } })
}

function crc32(bytes) {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

function pngChunk(type, body) {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const chunk = Buffer.alloc(named.length + 8)
  chunk.writeUInt32BE(body.length, 0)
  named.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(named), named.length + 4)
  return chunk
}

/** A PNG whose header claims 300 megapixels, with next to nothing behind it. */
function boastfulPng() {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(20_000, 0)
  header.writeUInt32BE(15_000, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(4096))),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

async function withAlpha(seed, width, height) {
  const mask = Buffer.from(
    `<svg width="${width}" height="${height}"><circle cx="${width / 2}" cy="${height / 2}" r="${height / 2.2}" fill="#fff"/></svg>`,
  )
  const picture = await (await landscape(seed, width, height)).png().toBuffer()
  return sharp(picture)
    .ensureAlpha()
    .composite([{ input: mask, blend: 'dest-in' }])
    .png()
    .toBuffer()
}

async function withExif(seed, width, height) {
  return (await landscape(seed, width, height))
    .withExif({
      IFD0: { ImageDescription: CANARY.description, Make: 'Safelight', Model: 'Procedural' },
      IFD2: { DateTimeOriginal: '2024:06:21 21:34:05' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: CANARY.latitude,
        GPSLongitudeRef: 'E',
        GPSLongitude: CANARY.longitude,
      },
    })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 92 })
    .toBuffer()
}

const jpeg = async (seed, width, height) =>
  (await landscape(seed, width, height)).jpeg({ quality: 92 }).toBuffer()

const FILES = {
  [CANARY.fileName]: () => withExif(11, 480, 320),
  'alpine-evening.jpg': () => jpeg(24, 1600, 1067),
  'north-ridge.jpg': () => jpeg(25, 800, 1200),
  'first-snow.jpg': () => jpeg(26, 1500, 1000),
  'late-harvest.jpg': () => jpeg(27, 1000, 1000),
  'blue-hour.jpg': () => jpeg(28, 1400, 934),
  'old-road.jpg': () => jpeg(29, 900, 1200),
  'two-lakes.jpg': () => jpeg(30, 1600, 900),
  'before-rain.jpg': () => jpeg(31, 1200, 900),
  'paper-moon.png': () => withAlpha(31, 301, 203),
  'river.webp': async () => (await landscape(41, 400, 300)).webp({ quality: 90 }).toBuffer(),
  'dunes.avif': async () => (await landscape(51, 320, 240)).avif({ quality: 70, effort: 2 }).toBuffer(),
  'signal.gif': async () => (await landscape(61, 200, 150)).gif().toBuffer(),
  'one-pixel.png': () =>
    sharp({ create: { width: 1, height: 1, channels: 3, background: '#c0392b' } })
      .png()
      .toBuffer(),
  'very-wide.png': async () => (await landscape(71, 20_000, 10)).png().toBuffer(),
  'tiny.png': async () => (await landscape(81, 64, 48)).png().toBuffer(),
  'truncated.jpg': async () => {
    const whole = await jpeg(91, 400, 300)
    return whole.subarray(0, Math.floor(whole.length * 0.4))
  },
  'empty.jpg': async () => Buffer.alloc(0),
  'notes.jpg': async () => Buffer.from('These are notes, and no picture at all.\n'.repeat(20)),
  'boastful.png': async () => boastfulPng(),
}

/** Draws what is not there yet; returns the folder. */
export async function drawFixtures() {
  await mkdir(FOLDER, { recursive: true })
  for (const [name, draw] of Object.entries(FILES)) {
    const path = resolve(FOLDER, name)
    if (!existsSync(path)) await writeFile(path, await draw())
  }
  await writeFile(resolve(FOLDER, 'canary.json'), JSON.stringify(CANARY))
  return FOLDER
}
