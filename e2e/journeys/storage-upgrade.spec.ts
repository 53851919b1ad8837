import { expect, test } from '../support/test'

/** As the first release made it: files of the one model, by the address that each was served at. */
async function makeFirstDatabase(): Promise<void> {
  await new Promise<void>((done, refuse) => {
    const opening = indexedDB.open('safelight', 1)
    opening.onerror = () => refuse(new Error('no database', { cause: opening.error }))
    opening.onupgradeneeded = () => {
      const { result: database } = opening
      for (const name of [
        'device',
        'roster',
        'artifacts',
        'previews',
        'chainView',
        'pendingEntry',
        'settings',
      ])
        database.createObjectStore(name)
      const models = database.createObjectStore('models')
      for (const name of ['model-BKizZrNO.json', 'weights-CH6iefEj.bin', 'cdf--HraohGk.bin'])
        models.put(new Blob([name]), `/assets/${name}`)
      database.createObjectStore('records', { keyPath: 'recordId' })
      database.createObjectStore('artifactUse', { keyPath: 'artifactId' }).createIndex('usedAt', 'usedAt')
      for (const [name, keyPath] of [
        ['uploads', 'recordId'],
        ['sources', 'importId'],
      ] as const)
        database.createObjectStore(name, { keyPath }).createIndex('addedAt', 'addedAt')
    }
    opening.onsuccess = () => {
      opening.result.close()
      done()
    }
  })
}

/** What lies under each key, with the text of every file. */
async function readModels(): Promise<unknown[]> {
  const database = await new Promise<IDBDatabase>((done, refuse) => {
    const opening = indexedDB.open('safelight')
    opening.onsuccess = () => done(opening.result)
    opening.onerror = () => refuse(new Error('no database', { cause: opening.error }))
  })
  const store = database.transaction('models').objectStore('models')
  const found: { key: IDBValidKey; files: Record<string, Blob> }[] = []
  await new Promise<void>((done) => {
    store.openCursor().onsuccess = function () {
      if (this.result === null) {
        done()
        return
      }
      found.push({ key: this.result.key, files: this.result.value as Record<string, Blob> })
      this.result.continue()
    }
  })
  database.close()
  return Promise.all(
    found.map(async ({ key, files }) => {
      const texts = Object.entries(files).map(async ([name, file]) => [name, await file.text()] as const)
      return { key, ...Object.fromEntries(await Promise.all(texts)) }
    }),
  )
}

test('a device of the first release keeps its model', async ({ server, newDevice }) => {
  const app = await newDevice()
  const { page } = app
  await page.goto(`${server.origin}/icon.svg`)
  await page.evaluate(makeFirstDatabase)
  await app.open()
  await expect(app.createButton()).toBeVisible()
  expect(await page.evaluate(readModels)).toEqual([
    {
      key: 'Q8WSBW5BIsnuOI-mwtudDGbr5f8d7JOAiDOfPszURIk',
      description: 'model-BKizZrNO.json',
      weights: 'weights-CH6iefEj.bin',
      tables: 'cdf--HraohGk.bin',
    },
  ])
})
