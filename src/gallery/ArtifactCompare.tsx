import { useEffect, useRef, useState } from 'react'
import { vaultService, type ArtifactView, type OpenedPhoto, type PhotoView } from '../state/vault-store'
import { drawArtifact, drawPart } from './draw'
import { bytesText, psnrText } from './format'
import { sentenceOf } from './sentence'
import { overviewOf } from './zoom'

/** Left of the divider what the vault holds, right of it what this device restores. */
export function ArtifactCompare({ photo, opened }: { photo: PhotoView; opened: OpenedPhoto }) {
  const restored = useRef<HTMLCanvasElement>(null)
  const held = useRef<HTMLCanvasElement>(null)
  const [share, setShare] = useState(50)
  const [artifact, setArtifact] = useState<ArtifactView | null>(null)
  const [trouble, setTrouble] = useState<string | null>(null)

  useEffect(() => {
    const leaving = new AbortController()
    if (restored.current !== null) void drawPart(restored.current, opened, overviewOf(opened), leaving.signal)
    return () => leaving.abort()
  }, [opened])
  useEffect(() => {
    const controller = new AbortController()
    vaultService()
      .viewArtifact(photo.id, { signal: controller.signal })
      .then(
        (view) => {
          if (!controller.signal.aborted) setArtifact(view)
        },
        (error: unknown) => {
          if (!controller.signal.aborted) setTrouble(sentenceOf(error, 'It is out of reach.'))
        },
      )
    return () => controller.abort()
  }, [photo.id])
  useEffect(() => {
    if (held.current !== null && artifact !== null) drawArtifact(held.current, artifact, opened)
  }, [artifact, opened])

  const style = {
    '--share': `${share}%`,
    '--ratio': String(opened.width / opened.height),
  } as React.CSSProperties
  return (
    <figure className="compare" style={style}>
      <div className="compare-room">
        <div className="compare-frame">
          <canvas ref={restored} role="img" aria-label={`${photo.name}, restored on this device`} />
          <canvas
            ref={held}
            className="held"
            role="img"
            aria-label={`The artifact of ${photo.name} as the vault holds it: noise`}
          />
          <div className="divider" aria-hidden="true" />
          <input
            type="range"
            min={0}
            max={100}
            value={share}
            aria-label="Divider between the artifact and the photo"
            onChange={(event) => setShare(Number(event.target.value))}
          />
        </div>
      </div>
      <figcaption>
        {trouble ??
          (artifact === null
            ? 'Fetching what the vault holds'
            : `Left: what the vault holds, ${bytesText(artifact.bytes.length)}, every byte a grey pixel. Right: the photo restored from it on this device, measured at ${psnrText(photo.psnrDb)}.`)}
      </figcaption>
    </figure>
  )
}
