/** Runs a command with this Node, so that nothing depends on what is in PATH; npm is the one exception. */
import { spawn } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Resolves with the exit status; 1 where the command died by a signal or could not start. */
export function run(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options })
    child.on('error', (error) => {
      console.error(error.message)
      done(1)
    })
    child.on('exit', (status) => done(status ?? 1))
  })
}

export const node = (args, options) => run(process.execPath, args, options)

/** The script of a package under node_modules, run by this Node. */
export const bin = (script, args, options) => node([resolve(root, 'node_modules', script), ...args], options)

/** npm itself: the one that started us where there is one, else the one in PATH. */
export function npm(args) {
  const script = process.env.npm_execpath
  if (script !== undefined && /\.c?js$/.test(script)) return node([script, ...args])
  return run('npm', args, { shell: process.platform === 'win32' })
}
