/** What hosts can do to the attestation of a channel: they hold both ends of their streams, but no honest enclave's key. */
import type { Quoter } from "@twinlock/node/p2p/attestedChannel"
import {
  type AttestMessage,
  decodeAttestMessage,
  encodeAttestMessage,
} from "@twinlock/node/p2p/attestMessages"
import type { End } from "./scene.ts"

type Change = (frame: Uint8Array) => Uint8Array

/** Passes frames between two streams, each way with a change, until one of them ends. */
export function relay(
  one: End,
  other: End,
  there: Change = (frame) => frame,
  back: Change = (frame) => frame,
): void {
  const pass = async (from: End, to: End, change: Change): Promise<void> => {
    try {
      for (;;) await to.send(change(await from.receive(1 << 20)))
    } catch {
      to.close()
    }
  }
  void pass(one, other, there)
  void pass(other, one, back)
}

/** Changes messages of one kind. */
export const rewriting =
  (change: (message: AttestMessage) => AttestMessage): Change =>
  (frame) =>
    encodeAttestMessage(change(decodeAttestMessage(frame)))

/** A quoter that always gives the first evidence that it ever made. */
export function replaying(honest: Quoter): Quoter {
  let first: Uint8Array | null = null
  return {
    async quote(reportData) {
      first ??= await honest.quote(reportData)
      return first
    },
  }
}

/** Sends everything back to whoever sent it, with a change. */
export async function reflect(end: End, change: Change): Promise<void> {
  try {
    for (;;) await end.send(change(await end.receive(1 << 20)))
  } catch {
    end.close()
  }
}
