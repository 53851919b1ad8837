/** Where a photo lies in the viewer: scale in screen pixels per photo pixel, offset of its centre from the middle. */
export interface View {
  readonly scale: number
  readonly x: number
  readonly y: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

const MAX_SCALE = 8

/** Scale at which the whole photo is seen; small photos are not enlarged. */
function fitScale(photo: Size, stage: Size): number {
  return Math.min(1, stage.width / photo.width, stage.height / photo.height)
}

export function fitView(photo: Size, stage: Size): View {
  return { scale: fitScale(photo, stage), x: 0, y: 0 }
}

/** Scales by a factor about a point of the stage (from its middle), which keeps its place on the photo. */
export function zoomAbout(
  view: View,
  factor: number,
  at: { x: number; y: number },
  photo: Size,
  stage: Size,
): View {
  const scale = Math.min(MAX_SCALE, Math.max(fitScale(photo, stage), view.scale * factor))
  const change = scale / view.scale
  return keepInside(
    { scale, x: at.x - (at.x - view.x) * change, y: at.y - (at.y - view.y) * change },
    photo,
    stage,
  )
}

/** Moves the photo no further than its own edge. */
export function keepInside(view: View, photo: Size, stage: Size): View {
  const spareX = Math.max(0, (photo.width * view.scale - stage.width) / 2)
  const spareY = Math.max(0, (photo.height * view.scale - stage.height) / 2)
  return {
    scale: view.scale,
    x: Math.max(-spareX, Math.min(spareX, view.x)),
    y: Math.max(-spareY, Math.min(spareY, view.y)),
  }
}

/** A part of a photo in photo pixels, drawn with one pixel for each square of `shrink` x `shrink`. */
export interface Part extends Size {
  readonly x: number
  readonly y: number
  readonly shrink: number
}

/** A canvas costs the page several times its pixels, and some browsers give none beyond 16 megapixels. */
const OVERVIEW_PIXELS = 4_200_000
const DETAIL_PIXELS = 16_000_000

/** The whole photo, as sharp as a canvas should be that is always there. */
export function overviewOf({ width, height }: Size): Part {
  const shrink = Math.max(1, Math.ceil(Math.sqrt((width * height) / OVERVIEW_PIXELS)))
  return { x: 0, y: 0, width, height, shrink }
}

/** What the stage shows, as sharp as its screen; null where the overview is as sharp. */
export function detailOf(photo: Size, stage: Size, view: View, pixelRatio: number): Part | null {
  const across = alongAxis(photo.width, stage.width / view.scale, view.x / view.scale)
  const down = alongAxis(photo.height, stage.height / view.scale, view.y / view.scale)
  const shrink = Math.max(
    1,
    Math.floor(1 / (view.scale * pixelRatio)),
    Math.ceil(Math.sqrt((across.length * down.length) / DETAIL_PIXELS)),
  )
  if (shrink >= overviewOf(photo).shrink) return null
  return { x: across.from, y: down.from, width: across.length, height: down.length, shrink }
}

/** The whole pixels of one axis that are seen through an opening, whose middle lies `offset` before theirs. */
function alongAxis(pixels: number, opening: number, offset: number): { from: number; length: number } {
  const middle = pixels / 2 - offset
  const from = Math.max(0, Math.floor(middle - opening / 2))
  return { from, length: Math.max(1, Math.min(pixels, Math.ceil(middle + opening / 2)) - from) }
}
