import { Agent, request } from 'node:http'

const CONNECTIONS = 32

export type Target = { name: string; url: string; headers: Record<string, string> }

/** Requests answered in one second, over 32 kept-alive connections, for about `milliseconds`. */
export async function rateOf(target: Target, milliseconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const start = performance.now()
  const end = start + milliseconds
  let answered = 0
  const client = async () => {
    while (performance.now() < end) {
      await get(target, agent)
      answered += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, client))
  const seconds = (performance.now() - start) / 1000
  agent.destroy()
  return answered / seconds
}

/** One request; rejects for any answer but 200, so that no figure counts errors. */
export function get({ url, headers }: Target, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { headers, ...(agent && { agent }) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(body)
        else
          reject(new Error(`${url} answered ${String(response.statusCode)}: ${body.slice(0, 300)}`))
      })
    })
      .on('error', reject)
      .end()
  })
}

export function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
