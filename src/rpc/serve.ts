/** The worker's side: answers calls from a table of procedures. Order is the client's business (one call at a time). */
import { RpcError, toWireError } from './errors'
import { transfersOf, type Procedure, type Procedures, type ToWorker } from './messages'
import type { ServicePort } from './port'

export function serve<Table extends Procedures<Table>>(procedures: Table, port: ServicePort): void {
  const running = new Map<number, AbortController>()

  async function answer(id: number, method: string, input: unknown): Promise<void> {
    const controller = new AbortController()
    running.set(id, controller)
    try {
      if (!Object.hasOwn(procedures, method))
        throw new RpcError('unknown-method', 'The page asked a worker for something it does not know.')
      const procedure = procedures[method as keyof Table] as unknown as Procedure<unknown, unknown>
      const report = (fraction: number) => {
        if (!controller.signal.aborted) port.postMessage({ kind: 'progress', id, fraction }, [])
      }
      const output = await procedure(controller.signal, input, report)
      port.postMessage({ kind: 'result', id, output }, transfersOf(output))
    } catch (error) {
      port.postMessage({ kind: 'error', id, error: toWireError(error) }, [])
    } finally {
      running.delete(id)
    }
  }

  port.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === 'call') void answer(data.id, data.method, data.input)
    else running.get(data.id)?.abort()
  })
}
