/** Reading requests: schemas at the door, FormatErrors as answers, writes only from the app's own origin. */
import express, { type Request, type RequestHandler } from 'express'
import type { z } from 'zod'
import { FormatError } from '../src/format/errors'
import { VaultError } from './errors'

/** Throws VaultError 'bad-request'. */
export function read<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const result = schema.safeParse(value)
  if (!result.success) throw new VaultError('bad-request', 'The request is not of the form this vault takes.')
  return result.data
}

/** Reads a JSON body of at most `limitBytes`; one that drips in for longer than `timeoutMs` ends the connection. */
export function jsonBody(limitBytes: number, timeoutMs: number): RequestHandler {
  const parse: RequestHandler = express.json({ limit: limitBytes })
  return (req, res, next) => {
    let isOver = false
    const finish = (error?: unknown) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      next(error)
    }
    const timer = setTimeout(() => {
      res.setHeader('Connection', 'close')
      finish(new VaultError('request-timeout', 'The request took too long to arrive.'))
    }, timeoutMs)
    void parse(req, res, finish)
  }
}

/** Runs a step of src/format; what it refuses becomes an answer. */
export async function formatStep<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    if (cause.code === 'bad-signature')
      throw new VaultError('bad-signature', 'A signature does not verify.', { cause })
    if (cause.code === 'not-allowed') throw new VaultError('not-allowed', 'That is not allowed.', { cause })
    if (cause.code === 'bad-order') throw new VaultError('conflict', 'Another entry came first.', { cause })
    throw new VaultError('bad-request', 'A message in the request cannot be read.', { cause })
  }
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Browsers send Origin with every write; a page of another site cannot use the cookie. */
export function sameOriginWrites(origin: string): RequestHandler {
  return (req, _res, next) => {
    if (READS.has(req.method) || req.get('Origin') === origin) next()
    else next(new VaultError('wrong-origin', 'This vault takes writes from its own address only.'))
  }
}

/** A path parameter, checked by its schema; what is no id is not found. */
export function pathId<Output>(req: Request, name: string, schema: z.ZodType<Output>): Output {
  const result = schema.safeParse(req.params[name])
  if (!result.success) throw new VaultError('not-found', 'There is nothing at this address.')
  return result.data
}
