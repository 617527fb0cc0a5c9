/** Downloads of bounded size over connections that are kept. */
import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from "node:http"
import { Agent as HttpsAgent, get as httpsGet } from "node:https"

/** Null where the answer is none of at most `maxBytes`. Rejects where there is no answer. */
export type Download = (url: URL, maxBytes: number, signal: AbortSignal) => Promise<Uint8Array | null>

/** Downloads from one host at a time; others wait. */
const AGENT = { keepAlive: true, maxSockets: 32 } as const

async function readLimited(response: IncomingMessage, maxBytes: number): Promise<Uint8Array | null> {
  const announced = Number(response.headers["content-length"] ?? maxBytes)
  if (response.statusCode !== 200 || announced > maxBytes) return null
  const bytes = new Uint8Array(announced)
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (size + chunk.length > announced) return null
    bytes.set(chunk, size)
    size += chunk.length
  }
  return size === announced ? bytes : bytes.slice(0, size)
}

export function createDownload(): Download {
  const [http, https] = [new HttpAgent(AGENT), new HttpsAgent(AGENT)]
  return (url, maxBytes, signal) =>
    new Promise((resolve, reject) => {
      const answer = (response: IncomingMessage): void => {
        readLimited(response, maxBytes)
          .then(resolve, reject)
          // What was not read would keep the connection busy.
          .finally(() => response.destroy())
      }
      const request =
        url.protocol === "https:"
          ? httpsGet(url, { agent: https, signal }, answer)
          : httpGet(url, { agent: http, signal }, answer)
      request.on("error", reject)
    })
}
