/** Addresses of the released base models' files, as the build names them; a released model is never removed. */

const files = import.meta.glob<string>('../../models/safelight-v*/{model.json,weights.bin,cdf.bin}', {
  query: '?url',
  import: 'default',
  eager: true,
})

/** The model that new photos are made with. */
export const CURRENT_MODEL = 'safelight-v1'

export function modelUrls(name: string) {
  const url = (file: string) => {
    const address = files[`../../models/${name}/${file}`]
    if (address === undefined) throw new RangeError(`There is no released model ${name}.`)
    return address
  }
  return { description: url('model.json'), weights: url('weights.bin'), tables: url('cdf.bin') }
}

export type ModelUrls = ReturnType<typeof modelUrls>
