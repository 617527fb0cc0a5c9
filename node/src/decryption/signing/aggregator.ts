/**
 * The aggregator's side of signing (protocol §6.3): fixes a list, collects shares, leaves out who was silent or lied, and
 * tries again, more and more seldom, until there is a certificate or the gateway no longer waits. Nothing of a failure,
 * be it of the chain, the network or a signer, ends the attempts for good.
 */
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { SignatureShare, SigningRequest, Unsigned } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import { approvers } from "../subject.ts"
import { addShare, chooseSigners, outcomeOf, type SigningAttempt, signingRequest } from "./attempt.ts"
import { batchOf } from "./batch.ts"
import { type Certified, type Job, later } from "./job.ts"
import { answerSigningRequest } from "./signer.ts"
import type { SigningDeps } from "./signing.ts"

export type Aggregator = {
  /** Starts an attempt unless one is under way or there is a certificate. */
  begin(job: Job): void
  /** Takes a signature share that answers the current list. */
  take(job: Job, share: SignatureShare): void
}

/** Attempts in a row that follow each other at once; the next ones wait. */
const PROMPT_FAILURES = 4
const LONGEST_PAUSE_MS = 16_000

/** @param onSigned told the certificate of an own attempt */
export function createAggregator(
  deps: SigningDeps,
  onSigned: (job: Job, certified: Certified) => void,
): Aggregator {
  const { seat, publicKey, pool, book, engine, gossip, standing, scheduler, logger, options } = deps
  const isOver = (job: Job) => job.closed || job.certified !== null

  /** Parties to ask, those known to be at work first; empty where this node itself does not stand. */
  async function candidates(job: Job): Promise<readonly PartyIndex[]> {
    const subject = engine.subject(requestSubject(job.requestId))
    const approved = subject === null ? [] : approvers(subject)
    const live = await standing(partyIndexes(seat.committee), options.livenessMarginSeconds)
    if (!live.has(seat.self)) return []
    const rest = partyIndexes(seat.committee).filter((party) => !approved.includes(party))
    return [...approved, ...rest].filter(
      (party) =>
        live.has(party) &&
        !job.silent.has(party) &&
        !job.caught.has(party) &&
        subject?.culprits.has(party) !== true,
    )
  }

  function again(job: Job, leastMs = 0): void {
    job.failures += 1
    const pause =
      job.failures < PROMPT_FAILURES ? 0 : options.shareTimeoutMs * 2 ** (job.failures - PROMPT_FAILURES)
    later(job, scheduler, Math.max(leastMs, Math.min(pause, LONGEST_PAUSE_MS)), () => begin(job))
  }

  function begin(job: Job): void {
    if (isOver(job) || job.current !== null || job.choosing) return
    job.choosing = true
    attempt(job).catch((err: unknown) => {
      const code = isProtocolError(err) ? err.detail.code : "INTERNAL"
      logger.warn({ requestId: job.requestId, code, err }, "aggregation failed")
      job.choosing = false
      // With a list out, its timer decides; without one, nothing else would.
      if (job.current === null) again(job, options.shareTimeoutMs)
    })
  }

  async function attempt(job: Job): Promise<void> {
    const parties = await candidates(job)
    job.choosing = false
    if (isOver(job)) return
    const signers = chooseSigners(seat, parties, book, () => pool.fresh())
    if (signers === null) {
      // Commitments or standing may still come, and who was silent may be back.
      job.silent.clear()
      return again(job, options.shareTimeoutMs)
    }
    const batch = batchOf([job.result])
    const request = signingRequest(seat, batch, signers, job.attempts)
    job.attempts += 1
    const digest = messageDigest(request as Unsigned<SigningRequest>, seat.signing)
    const current: SigningAttempt = { batch, request, digest, shares: new Map() }
    job.current = current
    later(job, scheduler, options.shareTimeoutMs, () => expire(job, current))
    await gossip.publish(request)
    take(job, await answerSigningRequest(request, batch.results, deps))
  }

  function expire(job: Job, attempt: SigningAttempt): void {
    if (job.current !== attempt) return
    const outcome = outcomeOf(attempt, seat, publicKey)
    const silent = outcome.status === "waiting" ? outcome.missing : []
    for (const party of silent) if (party !== seat.self) job.silent.add(party)
    logger.warn({ requestId: job.requestId, silent }, "signers were silent")
    job.current = null
    again(job)
  }

  function take(job: Job, share: SignatureShare): void {
    const { current } = job
    if (current === null || isOver(job) || !addShare(current, share)) return
    const outcome = outcomeOf(current, seat, publicKey)
    switch (outcome.status) {
      case "waiting":
        return
      case "failed":
        for (const party of outcome.culprits) job.caught.add(party)
        engine.blame(requestSubject(job.requestId), outcome.culprits)
        job.current = null
        return again(job)
      case "signed": {
        const { signature, signers: parties } = outcome
        const signers = parties.reduce((bits, party) => bits | (1n << BigInt(party - 1)), 0n)
        job.current = null
        job.failures = 0
        return onSigned(job, { signers, parties, signature })
      }
    }
  }

  return { begin, take }
}
