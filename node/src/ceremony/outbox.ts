/**
 * Ordered delivery to one peer: what cannot be delivered now is tried again until the attempt ends. Repeats are
 * harmless, since receivers ignore a message that they hold already. A peer that stays away is the state machine's
 * business: its round times out.
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import type { Scheduler } from "../clock.ts"
import type { Network } from "../p2p/network.ts"

export const RETRY_MS = 500

export type DeliveryOptions = {
  readonly network: Network
  readonly scheduler: Scheduler
  readonly signal: AbortSignal
}

/** Resolves after that time, or at once when `signal` aborts. */
export const pause = (
  milliseconds: number,
  { scheduler, signal }: Pick<DeliveryOptions, "scheduler" | "signal">,
): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      cancel()
      signal.removeEventListener("abort", done)
      resolve()
    }
    const cancel = scheduler.after(milliseconds, done)
    signal.addEventListener("abort", done)
  })

/** Unlike a race with a promise that stays, this keeps nothing of an answer that has come: chunks are large. */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener("abort", stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop))
  })

/**
 * Resolves once the peer's handler has finished, or silently when `signal` aborts.
 * @throws PAYLOAD_TOO_LARGE, which no repetition cures.
 */
export async function deliver(
  to: Address,
  protocol: string,
  payload: Uint8Array,
  options: DeliveryOptions,
): Promise<void> {
  while (!options.signal.aborted) {
    try {
      return await options.network.send(to, protocol, payload, options.signal)
    } catch (error) {
      if (options.signal.aborted) return
      if (!isProtocolError(error, "PEER_UNREACHABLE", "PEER_REFUSED")) throw error
      await pause(RETRY_MS, options)
    }
  }
}

export type Outbox = {
  /** Queues behind what was sent to the same peer before. */
  send(to: Address, protocol: string, payload: Uint8Array): void
  /** Resolves when everything queued so far is delivered or given up. */
  drained(): Promise<void>
}

/** @param onFailure called with an error that repetition cannot cure */
export function createOutbox(options: DeliveryOptions, onFailure: (error: unknown) => void): Outbox {
  const tails = new Map<Address, Promise<void>>()
  return {
    send(to, protocol, payload) {
      const before = tails.get(to) ?? Promise.resolve()
      tails.set(to, before.then(() => deliver(to, protocol, payload, options)).catch(onFailure))
    },
    async drained() {
      await Promise.all(tails.values())
    },
  }
}
