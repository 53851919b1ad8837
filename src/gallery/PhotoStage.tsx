import { useCallback, useEffect, useRef, useState } from 'react'
import type { OpenedPhoto } from '../state/vault-store'
import { drawPhoto } from './draw'
import { fitView, keepInside, zoomAbout, type Size, type View } from './zoom'

const KEY_STEP = 1.4
const PAN_STEP = 80
/** A drag this long across a photo that is not enlarged turns to the next one. */
const SWIPE_PX = 60

interface PhotoStageProps {
  readonly photo: OpenedPhoto
  readonly name: string
  readonly onSwipe: (by: 1 | -1) => void
}

/** The restored photo on a canvas: fits, zooms with wheel, pinch and + - 0, pans by dragging. */
export function PhotoStage({ photo, name, onSwipe }: PhotoStageProps) {
  const stage = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState<Size>({ width: 1, height: 1 })
  const [chosen, setChosen] = useState<View | null>(null)
  const view = chosen ?? fitView(photo, size)
  const pointers = useRef(new Map<number, { x: number; y: number }>())
  const swipeFrom = useRef<number | null>(null)

  useEffect(() => {
    if (canvas.current !== null) drawPhoto(canvas.current, photo)
  }, [photo])
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
      <canvas
        ref={canvas}
        className="photo"
        role="img"
        aria-label={name}
        style={{
          width: photo.width * view.scale,
          height: photo.height * view.scale,
          transform: `translate(${view.x}px, ${view.y}px)`,
        }}
      />
    </div>
  )
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
