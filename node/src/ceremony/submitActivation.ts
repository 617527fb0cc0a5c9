/**
 * Brings a signed activation to the chain. Parties take turns by index, so that normally only the first one pays; each
 * goes on until the attempt ends, which the chain's word does.
 */
import type { KeyId, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Scheduler } from "../clock.ts"
import type { Logger } from "../telemetry/logger.ts"
import type { SignedActivation } from "./activationRounds.ts"
import { pause } from "./outbox.ts"

/** Sends `KeyRegistry.activate`. */
export type ActivationSubmitter = {
  /** Resolves when the transaction is accepted by an endpoint; rejects where it cannot be sent or reverts. */
  submit(keyId: KeyId, signed: SignedActivation): Promise<void>
}

export type SubmitOptions = {
  readonly self: PartyIndex
  /** How long a party leaves it to those before it. */
  readonly turnMs: number
  readonly scheduler: Scheduler
  readonly signal: AbortSignal
  readonly logger: Logger
}

/** Resolves when `signal` aborts or the transaction is accepted. */
export async function submitActivation(
  submitter: ActivationSubmitter,
  signed: SignedActivation,
  { self, turnMs, scheduler, signal, logger }: SubmitOptions,
): Promise<void> {
  await pause(turnMs * (self - 1), { scheduler, signal })
  while (!signal.aborted) {
    try {
      await submitter.submit(signed.activation.keyId, signed)
      return
    } catch (error) {
      logger.warn({ err: error, ceremony: signed.activation.keyId }, "the activation was not accepted")
      await pause(turnMs, { scheduler, signal })
    }
  }
}
