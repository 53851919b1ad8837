/** A coded picture as the artifact that the cloud holds, and back from that artifact alone. */
import { openArtifact, sealArtifact, sealedSection } from '../crypto/artifact'
import { newArtifactId, randomBytes } from '../crypto/random'
import { createMask } from '../diffusion/mask'
import { SECTION } from '../format/artifact'
import { accountIds, modelIds } from '../format/ids'
import { PADDING_RULE, paddedLength } from '../format/padding'
import { PROCESS } from '../format/suite'

/** Keys and names of a vault that lives as long as the measurement. */
export function makeSealer(mask = createMask(PROCESS.torus32)) {
  const names = {
    accountId: accountIds.fromBytes(randomBytes(32)),
    artifactId: newArtifactId(),
    modelId: modelIds.fromBytes(randomBytes(32)),
    modelGeneration: 1,
  }
  const lock = { modelSecret: randomBytes(32), weightsHash: randomBytes(32) }
  return {
    /** What an artifact's picture of so many coded bytes is padded to. */
    paddedLength: (bytes: number) => paddedLength(PADDING_RULE.eighths, bytes),
    seal: (size: { width: number; height: number }, coded: Uint8Array, quality: number) =>
      sealArtifact({
        ...{ names, lock, mask },
        sections: [{ id: SECTION.image, bytes: coded }],
        picture: { width: size.width, height: size.height, quality, paddingRule: 'eighths' },
      }),
    async open(artifact: Uint8Array, dataKey: Uint8Array): Promise<Uint8Array> {
      const reader = await openArtifact({ first: artifact, names, lock, mask, dataKey })
      try {
        return await reader.section(SECTION.image, sealedSection(artifact, reader.find(SECTION.image)!))
      } finally {
        reader.close()
      }
    },
  }
}

export type Sealer = ReturnType<typeof makeSealer>
