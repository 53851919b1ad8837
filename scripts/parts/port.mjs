/** Whether somebody listens on a port already. */
import { createServer } from 'node:net'

/** null when the port is free, else a sentence for the person who asked for it. */
export function portProblem(port, host) {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', (error) => {
      if (error.code === 'EADDRINUSE')
        done(
          `Port ${port} is taken by another program. Stop it, or choose another port: PORT=${port + 1} npm start`,
        )
      else if (error.code === 'EACCES')
        done(`This account may not listen on port ${port}. Choose one above 1023: PORT=8787 npm start`)
      else done(`Cannot listen on ${host}:${port} (${error.code}). Check HOST and PORT.`)
    })
    probe.listen(port, host, () => probe.close(() => done(null)))
  })
}
