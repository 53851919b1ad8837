/** Where what every released model once made is kept, to be restored for ever; `npm run vectors` writes it. */
import type { ReleasedModel } from '../model/released-models'

type Named = Pick<ReleasedModel, 'name'>

/** `v1` of safelight-v1. */
const version = ({ name }: Named): string => name.replace(/^safelight-/, '')

/** Small pictures coded by the base model. */
export const goldenStreamsOf = (model: Named): URL =>
  new URL(`../codec/vectors/streams-${version(model)}.json`, import.meta.url)

/** A whole vault in format v1, its photos sealed under a personal model. */
export const goldenVaultOf = (model: Named): URL =>
  new URL(`../crypto/vectors/vault-${version(model)}.json`, import.meta.url)

/** One stream each, which engines are probed with. */
export const PROBE_TILES = new URL('../workers/vectors/probe-tiles.json', import.meta.url)

/** Hashes of personal weights, of drawn models too. */
export const WEIGHTS_HASHES = new URL('../model/vectors/weights-hashes.json', import.meta.url)
