import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { OpenedPhoto } from '../state/vault-store'
import { drawPart } from './draw'
import { detailOf, fitView, keepInside, overviewOf, zoomAbout, type Part, type Size, type View } from './zoom'

const KEY_STEP = 1.4
const PAN_STEP = 80
/** A view that has rested this long is drawn as sharp as the screen. */
const REST_MS = 100
/** A drag this long across a photo that is not enlarged turns to the next one. */
const SWIPE_PX = 60

interface PhotoStageProps {
  readonly photo: OpenedPhoto
  readonly name: string
  readonly onSwipe: (by: 1 | -1) => void
}

/** The restored photo; above it, sharper, what is looked at closely. Zooms with wheel, pinch and + - 0, pans by dragging. */
export function PhotoStage({ photo, name, onSwipe }: PhotoStageProps) {
  const stage = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState<Size>({ width: 1, height: 1 })
  const [chosen, setChosen] = useState<View | null>(null)
  const view = useMemo(() => chosen ?? fitView(photo, size), [chosen, photo, size])
  const overview = useMemo(() => overviewOf(photo), [photo])
  const details = useDetails(photo, size, view)
  const pointers = useRef(new Map<number, { x: number; y: number }>())
  const swipeFrom = useRef<number | null>(null)

  useEffect(() => {
    const element = stage.current
    if (element === null) return
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const zoom = useCallback(
    (factor: number, at = { x: 0, y: 0 }) =>
      setChosen((now) => zoomAbout(now ?? fitView(photo, size), factor, at, photo, size)),
    [photo, size],
  )
  // React listens passively to the wheel, so the page would zoom too.
  useEffect(() => {
    const element = stage.current
    if (element === null) return
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      zoom(Math.exp(-event.deltaY / 300), middleOf(element, event))
    }
    element.addEventListener('wheel', wheel, { passive: false })
    return () => element.removeEventListener('wheel', wheel)
  }, [zoom])

  // On the window: the keys work wherever the focus is in the viewer.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || inAnotherDialog(stage.current, event)) return
      if (event.key === '+' || event.key === '=') zoom(KEY_STEP)
      else if (event.key === '-') zoom(1 / KEY_STEP)
      else if (event.key === '0') setChosen(null)
      else if (event.shiftKey && event.key.startsWith('Arrow')) {
        const dx = event.key === 'ArrowLeft' ? PAN_STEP : event.key === 'ArrowRight' ? -PAN_STEP : 0
        const dy = event.key === 'ArrowUp' ? PAN_STEP : event.key === 'ArrowDown' ? -PAN_STEP : 0
        setChosen((now) => {
          const from = now ?? fitView(photo, size)
          return keepInside({ ...from, x: from.x + dx, y: from.y + dy }, photo, size)
        })
      } else return
      event.preventDefault()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [zoom, photo, size])
  const onPointerMove = (event: React.PointerEvent) => {
    const known = pointers.current
    const last = known.get(event.pointerId)
    if (last === undefined) return
    const others = [...known].filter(([id]) => id !== event.pointerId).map(([, at]) => at)
    const now = { x: event.clientX, y: event.clientY }
    const other = others[0]
    known.set(event.pointerId, now)
    if (other === undefined) {
      setChosen(keepInside({ ...view, x: view.x + now.x - last.x, y: view.y + now.y - last.y }, photo, size))
      return
    }
    const before = Math.hypot(last.x - other.x, last.y - other.y)
    const after = Math.hypot(now.x - other.x, now.y - other.y)
    if (before > 0 && stage.current !== null)
      zoom(
        after / before,
        middleOf(stage.current, { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 }),
      )
  }
  const release = (event: React.PointerEvent) => {
    pointers.current.delete(event.pointerId)
    const from = swipeFrom.current
    swipeFrom.current = null
    if (from === null || event.type !== 'pointerup' || view.scale > fitView(photo, size).scale) return
    const along = event.clientX - from
    if (Math.abs(along) >= SWIPE_PX) onSwipe(along < 0 ? 1 : -1)
  }

  return (
    <div
      ref={stage}
      className="stage"
      role="group"
      aria-label={`${name}: zoom with plus, minus and zero, move with shift and arrows`}
      tabIndex={0}
      onDoubleClick={(event) => {
        if (chosen === null) zoom(3, middleOf(event.currentTarget, event))
        else setChosen(null)
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
        swipeFrom.current = pointers.current.size === 1 ? event.clientX : null
      }}
      onPointerMove={onPointerMove}
      onPointerUp={release}
      onPointerCancel={release}
    >
      <div
        className="photo"
        style={{
          width: photo.width * view.scale,
          height: photo.height * view.scale,
          transform: `translate(${view.x}px, ${view.y}px)`,
        }}
      >
        <PartCanvas photo={photo} part={overview} scale={view.scale} name={name} />
        {details.parts.map((part) => (
          <PartCanvas
            key={keyOf(part)}
            photo={photo}
            part={part}
            scale={view.scale}
            name={null}
            onDrawn={details.onDrawn}
          />
        ))}
      </div>
    </div>
  )
}

interface PartCanvasProps {
  readonly photo: OpenedPhoto
  readonly part: Part
  /** Screen pixels per photo pixel. */
  readonly scale: number
  /** null where the picture is already named. */
  readonly name: string | null
  readonly onDrawn?: (part: Part) => void
}

/** A part of the photo, where it lies on the whole. */
function PartCanvas({ photo, part, scale, name, onDrawn }: PartCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const leaving = new AbortController()
    if (canvas.current !== null)
      void drawPart(canvas.current, photo, part, leaving.signal).then(() => {
        if (!leaving.signal.aborted) onDrawn?.(part)
      })
    return () => leaving.abort()
  }, [photo, part, onDrawn])
  const length = (pixels: number) => Math.ceil(pixels / part.shrink) * part.shrink * scale
  return (
    <canvas
      ref={canvas}
      {...(name === null ? { 'aria-hidden': true } : { role: 'img', 'aria-label': name })}
      style={{
        left: part.x * scale,
        top: part.y * scale,
        width: length(part.width),
        height: length(part.height),
      }}
    />
  )
}

const keyOf = ({ x, y, width, height, shrink }: Part): string => [x, y, width, height, shrink].join()

/** What is seen of the photo, once the view rests, over what was seen before until it is drawn. */
function useDetails(
  photo: Size,
  stage: Size,
  view: View,
): { readonly parts: readonly Part[]; readonly onDrawn: (part: Part) => void } {
  const [parts, setParts] = useState<readonly Part[]>([])
  useEffect(() => {
    const timer = setTimeout(() => {
      const part = detailOf(photo, stage, view, devicePixelRatio)
      setParts((before) =>
        part === null ? [] : [...before.slice(0, 1).filter((old) => keyOf(old) !== keyOf(part)), part],
      )
    }, REST_MS)
    return () => clearTimeout(timer)
  }, [photo, stage, view])
  const onDrawn = useCallback((drawn: Part) => setParts([drawn]), [])
  return { parts, onDrawn }
}

/** Whether a key was pressed in a question in front of the photo. */
function inAnotherDialog(stage: Element | null, event: KeyboardEvent): boolean {
  const dialog = event.target instanceof Element ? event.target.closest('dialog') : null
  return dialog !== null && dialog !== stage?.closest('dialog')
}

/** A pointer's place from the middle of an element. */
function middleOf(element: Element, at: { clientX: number; clientY: number }): { x: number; y: number } {
  const box = element.getBoundingClientRect()
  return { x: at.clientX - box.left - box.width / 2, y: at.clientY - box.top - box.height / 2 }
}
