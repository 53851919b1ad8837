/** `npm run dev`: the vault server on 8787, and in front of it Vite with hot reload on 5173. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { ensureInstalled } from './parts/install.mjs'
import { requireNode } from './parts/node-version.mjs'
import { root } from './parts/run.mjs'

requireNode()
await ensureInstalled()

const PORT = process.env.PORT || '8787'
const DEV_PORT = process.env.DEV_PORT || '5173'
const start = (args, env) =>
  spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })

const children = [
  start(['--import', 'tsx', 'server/main.ts'], { PORT, SAFELIGHT_ORIGIN: `http://localhost:${DEV_PORT}` }),
  start([resolve(root, 'node_modules/vite/bin/vite.js'), '--port', DEV_PORT, '--strictPort'], {
    SAFELIGHT_API: `http://localhost:${PORT}`,
  }),
]

let ending = false
function end(status) {
  if (ending) return
  ending = true
  for (const child of children) child.kill('SIGTERM')
  process.exitCode = status
}
for (const child of children) child.on('exit', (status) => end(status ?? 0))
process.on('SIGINT', () => end(0))
process.on('SIGTERM', () => end(0))
