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
export function fitScale(photo: Size, stage: Size): number {
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
