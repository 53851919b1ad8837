/** Large buffers that are not waited for: collectors of several workers otherwise leave hundreds of megabytes lying. */

/** Gives the memory under an array back at once, where the browser can (ES2024); the array is empty afterwards. */
export function release({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (buffer instanceof ArrayBuffer && 'transfer' in buffer) buffer.transfer(0)
}
