/** One request and its answer on a stream of the attested channel: frames with a status before the answer. */
import type { Stream } from "@libp2p/interface"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { MAX_DIRECT_BYTES, type NetworkErrorCode } from "./network.ts"
import { createStreamReader, encodeLength, writeAll, writeFrame } from "./streamFrames.ts"

const OK = 0
const REFUSED = 1
const TOO_LARGE = 2

export const networkError = (code: NetworkErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })

/** Client side. Aborts the stream on failure. @throws PEER_REFUSED, PAYLOAD_TOO_LARGE, PEER_UNREACHABLE */
export async function ask(stream: Stream, payload: Uint8Array, peer: string): Promise<Uint8Array> {
  try {
    const reader = createStreamReader(stream)
    const written = writeFrame(stream, payload)
    // A refusal by length arrives while the payload is still being written, and the write then fails.
    written.catch(() => {})
    const [status] = await reader.read(1)
    if (status === TOO_LARGE)
      throw networkError(
        "PAYLOAD_TOO_LARGE",
        `${peer} refused ${payload.length} bytes for ${stream.protocol}`,
      )
    if (status !== OK) throw networkError("PEER_REFUSED", `${peer} refused ${stream.protocol}`)
    await written
    const answer = await reader.readFrame(MAX_DIRECT_BYTES)
    await stream.close()
    return answer
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error("exchange failed"))
    if (isProtocolError(error, "PAYLOAD_TOO_LARGE", "PEER_REFUSED")) throw error
    throw networkError("PEER_UNREACHABLE", `the channel to ${peer} broke on ${stream.protocol}`, error)
  }
}

/** Server side. Never throws for what the peer does; `handle`'s failure is answered and then rethrown. */
export async function answer(
  stream: Stream,
  maxBytes: number,
  handle: (payload: Uint8Array) => Promise<Uint8Array>,
): Promise<void> {
  let payload: Uint8Array
  try {
    payload = await createStreamReader(stream).readFrame(maxBytes)
  } catch (error) {
    if (isProtocolError(error, "FRAME_TOO_LARGE")) await refuse(stream, TOO_LARGE)
    else stream.abort(error instanceof Error ? error : new Error("bad frame"))
    return
  }
  let result: Uint8Array
  try {
    result = await handle(payload)
  } catch (error) {
    await refuse(stream, REFUSED)
    throw error
  }
  try {
    stream.send(new Uint8Array([OK]))
    stream.send(encodeLength(result.length))
    await writeAll(stream, result)
    await stream.close()
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error("answer failed"))
  }
}

async function refuse(stream: Stream, status: number): Promise<void> {
  try {
    stream.send(new Uint8Array([status]))
    await stream.close()
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error("refusal failed"))
  }
}
