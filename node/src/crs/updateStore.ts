/** Updates' bytes of one CRS ceremony: own ones, and what peers gave. They are known by their SHA-256. Public data. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import { bytesDigest } from "../ceremony/digest.ts"
import { type DeliveryOptions, pause, RETRY_MS } from "../ceremony/outbox.ts"
import { encodeUpdateQuery } from "./turnsMessages.ts"
import { UPDATE_PROTOCOL } from "./turnsRouter.ts"

export type UpdateStore = {
  put(bytes: Uint8Array): Digest
  get(message: Digest): Uint8Array | undefined
  /** From here, or from the first of `sources` that gives it; asks until `signal` aborts. @throws AbortError */
  fetch(message: Digest, sources: readonly Address[], signal: AbortSignal): Promise<Uint8Array>
}

export function createUpdateStore(
  ceremony: Digest,
  { network, scheduler }: Pick<DeliveryOptions, "network" | "scheduler">,
): UpdateStore {
  const held = new Map<Digest, Uint8Array>()

  async function ask(source: Address, message: Digest, signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      signal.throwIfAborted()
      try {
        const query = encodeUpdateQuery(ceremony, message)
        const bytes = await network.request(source, UPDATE_PROTOCOL, query, signal)
        if (bytesDigest(bytes) === message) return bytes
      } catch (error) {
        if (!signal.aborted && !(error instanceof ProtocolError)) throw error
      }
      await pause(RETRY_MS, { scheduler, signal })
    }
  }

  const put = (bytes: Uint8Array): Digest => {
    const message = bytesDigest(bytes)
    held.set(message, bytes)
    return message
  }

  return {
    put,
    get: (message) => held.get(message),
    async fetch(message, sources, signal) {
      const own = held.get(message)
      if (own !== undefined) return own
      const found = new AbortController()
      const both = AbortSignal.any([signal, found.signal])
      try {
        const bytes = await Promise.any(sources.map((source) => ask(source, message, both)))
        held.set(message, bytes)
        return bytes
      } catch (error) {
        signal.throwIfAborted()
        throw error
      } finally {
        found.abort()
      }
    },
  }
}
