/** Large buffers that are not waited for: collectors of several workers otherwise leave hundreds of megabytes lying. */

/** Its other end is closed: what is sent there is gone. */
let nowhere: MessagePort | null = null

/**
 * Gives the memory under an array back at once; the array, and any other on the same buffer, is empty afterwards. By
 * sending it away: what came in a message or from a canvas outlives ArrayBuffer.transfer until it is collected.
 */
export function release({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return
  if (nowhere === null) {
    const { port1, port2 } = new MessageChannel()
    port2.close()
    nowhere = port1
  }
  nowhere.postMessage(null, [buffer])
}
