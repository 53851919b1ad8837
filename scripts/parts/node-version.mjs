/** Says in a sentence that Node is too old, before anything else fails in a way that does not. */
const NEEDED = [20, 19]

export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return
  console.error(
    `Safelight needs Node ${NEEDED.join('.')} or later; this is Node ${process.versions.node}. See https://nodejs.org`,
  )
  process.exit(1)
}
