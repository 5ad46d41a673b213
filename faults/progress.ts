export interface Progress {
  begin(name: string): void
  of(done: number, total: number): void
  end(broken: number): void
}

/** One line for each scenario; on a terminal, it tells how far the scenario is. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  let current = ''
  let started = 0
  return {
    begin: (name) => {
      current = name
      started = performance.now()
      if (stream.isTTY) stream.write(`${name} …`)
    },
    of: (done, total) => {
      if (stream.isTTY) stream.write(`\r\u001B[K${current} ${done}/${total}`)
    },
    end: (broken) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const how = broken === 0 ? '' : `, ${broken} rule(s) did not hold`
      stream.write(`${stream.isTTY ? '\r\u001B[K' : ''}${current}: ${seconds} s${how}\n`)
    },
  }
}
