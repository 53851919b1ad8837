/** `npm start`: installs and builds what is missing, then runs the vault server in this process. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt } from './parts/build.mjs'
import { ensureInstalled } from './parts/install.mjs'
import { requireNode } from './parts/node-version.mjs'
import { portProblem } from './parts/port.mjs'
import { root } from './parts/run.mjs'

requireNode()
process.chdir(root)

const port = Number(process.env.PORT || 8787)
const host = process.env.HOST || '127.0.0.1'
if (Number.isInteger(port) && port >= 0 && port < 65536) {
  const problem = await portProblem(port, host)
  if (problem !== null) {
    console.error(problem)
    process.exit(1)
  }
}

await ensureInstalled()
const status = await ensureBuilt()
if (status !== 0) {
  console.error('The app could not be built; the messages above say why.')
  process.exit(status)
}

const main = resolve(root, 'server/main.ts')
process.argv[1] = main
const { register } = await import('tsx/esm/api')
register()
await import(pathToFileURL(main).href)
