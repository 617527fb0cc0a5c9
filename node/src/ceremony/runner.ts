/**
 * Runs one ceremony attempt: turns what the network, the timers and the chain bring into events, and carries out the
 * effects of the state machine. All rules are in `transition.ts`, all content in the rounds.
 *
 * Security: secrets live in the rounds' engine; `release` destroys them when the attempt ends, after every step that is
 * still in flight has come to rest.
 */
import { partyIndexes, partyOf, signerOf } from "@twinlock/sdk/protocol/committee"
import { assertNever, isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { Cancel, Scheduler } from "../clock.ts"
import type { Network } from "../p2p/network.ts"
import type { Logger } from "../telemetry/logger.ts"
import { type Attempt, type CeremonyErrorCode, refuse, type SeatSigner } from "./attempt.ts"
import { bytesDigest } from "./digest.ts"
import { createHeaderVerifier, sealedHashOf, signHeader } from "./header.ts"
import {
  type AbortWord,
  decodeAbort,
  decodeEcho,
  decodeRoundMessage,
  type Expectation,
  encodeAbort,
  encodeEcho,
  encodeRoundMessage,
  type RoundLimits,
  signAbort,
  signEcho,
} from "./messages.ts"
import { createOutbox, deliver } from "./outbox.ts"
import type { RoundProgress } from "./progress.ts"
import type { Round } from "./rounds.ts"
import { CEREMONY_PROTOCOLS, type CeremonyProtocol, type CeremonyRequest, type Router } from "./router.ts"
import type { CeremonyEffect, CeremonyEvent, CeremonyState, OwnMessage } from "./state.ts"
import { startAttempt, transition } from "./transition.ts"

export type RunnerDeps = {
  readonly network: Network
  readonly router: Router
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly sign: SeatSigner
  /** The SDK's own where absent; the node has a faster one in its addon. */
  readonly recover?: SignerRecovery
  readonly onProgress: (progress: RoundProgress) => void
}

export type RunnerOptions = {
  readonly attempt: Attempt
  readonly rounds: readonly Round[]
  /** Aborts when the attempt ends; rounds that wait for something must obey it. */
  readonly lifetime: AbortController
  /** Payloads of protocols that are not the state machine's own (contributions, verdicts). */
  receive(protocol: "chunk" | "verdict", from: Address, payload: Uint8Array): Promise<void>
  /** Answers a peer that asks for a chunk that this party has summed, or whether it has contributed to one. */
  answer(request: CeremonyRequest, from: Address, payload: Uint8Array): Promise<Uint8Array>
  /** Brings the activation to the chain; called once, after all rounds. */
  submit(): Promise<void>
  /** Watches the chain until the returned function is called. */
  watchChain(emit: (event: CeremonyEvent) => void): Cancel
  /**
   * Destroys secrets in memory; removes what was stored where the attempt is aborted. Called once, at the very end.
   * With "awaiting-chain" the process stops after its signature left: what is stored waits for the chain's word.
   */
  release(state: EndState): Promise<void>
}

export type EndState = Exclude<CeremonyState, { readonly status: "running" }>

export type Runner = {
  /** Resolves when the attempt has finished, aborted or been stopped, and its secrets are gone from memory. */
  readonly ended: Promise<EndState>
  state(): CeremonyState
  /** For the end of the process. Aborts, unless the own signature has left: then the chain decides after a restart. */
  stop(): Promise<EndState>
}

/** How long an ended attempt waits for its last messages to arrive. */
const FAREWELL_MS = 5_000

/** Starts the attempt at once. */
export function startRunner(options: RunnerOptions, deps: RunnerDeps): Runner {
  const { attempt, rounds, lifetime } = options
  const { network, scheduler, sign } = deps
  const { committee, self } = attempt
  const logger = deps.logger.child({ ceremony: committee.keyId, party: self })
  const others = partyIndexes(committee).filter((party) => party !== self)
  // What has been said reaches the others also where the attempt ends here at once: they would miss it.
  const posting = new AbortController()
  const outbox = createOutbox({ network, scheduler, signal: posting.signal }, (error) =>
    logger.error({ err: error }, "a ceremony message cannot be delivered"),
  )
  const inFlight = new Set<Promise<void>>()
  const farewells: Promise<void>[] = []
  const queue: CeremonyEvent[] = []
  let bytesSent = 0
  let draining = false
  let cancelTimer: Cancel = () => {}
  let resolveEnded: (state: EndState) => void = () => {}
  const ended = new Promise<EndState>((resolve) => {
    resolveEnded = resolve
  })

  const verifyHeader = createHeaderVerifier(committee, attempt.attempt, deps.recover)
  const plan = rounds.map(({ spec }) => spec.name)
  const limitsOf = (round: number): RoundLimits | null => rounds[round]?.spec ?? null
  const roundAt = (index: number): Round => {
    const round = rounds[index]
    if (round === undefined) throw new Error(`no round ${index}`)
    return round
  }
  const post = (party: PartyIndex, protocol: CeremonyProtocol, payload: Uint8Array): void => {
    bytesSent += payload.length
    outbox.send(signerOf(committee, party), CEREMONY_PROTOCOLS[protocol].id, payload)
  }

  /** Runs own work; what it throws becomes an event, never an unhandled rejection. */
  const run = (round: number, work: () => Promise<void>): void => {
    const task = work()
      .catch((error: unknown) => {
        if (!isProtocolError(error)) logger.error({ err: error }, "a ceremony step failed unexpectedly")
        const detail = error instanceof ProtocolError ? error.detail : null
        dispatch({
          kind: "failed",
          round,
          check: detail?.code ?? "INTERNAL",
          message: detail?.message ?? "a step failed unexpectedly",
          culprits: detail?.culprits ?? [],
          suspects: detail?.suspects ?? [],
        })
      })
      .finally(() => inFlight.delete(task))
    inFlight.add(task)
  }

  async function produce(index: number, previous: Attempt["proposalDigest"]): Promise<void> {
    const { broadcast, sealed } = await roundAt(index).produce(previous)
    const payloads = Array.from({ length: committee.n }, (_, at) => sealed[at] ?? null)
    const header = await signHeader(
      {
        keyId: committee.keyId,
        attempt: attempt.attempt,
        round: index,
        party: self,
        previous,
        broadcastBytes: broadcast.length,
        broadcastHash: bytesDigest(broadcast),
        sealedHashes: payloads.map(sealedHashOf),
      },
      sign,
    )
    dispatch({ kind: "produced", round: index, message: { header, broadcast, sealed: payloads } })
  }

  const sendMessage = ({ header, broadcast, sealed }: OwnMessage): void => {
    for (const party of others)
      post(party, "message", encodeRoundMessage(header, broadcast, sealed[party - 1] ?? null))
  }

  /** Waits for `work`, but not for a peer that is gone. */
  const within = (milliseconds: number, work: Promise<unknown>): Promise<void> =>
    new Promise((resolve) => {
      const cancel = scheduler.after(milliseconds, resolve)
      void work.finally(() => {
        cancel()
        resolve()
      })
    })

  async function sendAbort(word: AbortWord, to: readonly PartyIndex[]): Promise<void> {
    const bytes = encodeAbort(attempt, await signAbort(attempt, word, sign))
    const { id } = CEREMONY_PROTOCOLS.abort
    const over = new AbortController()
    const options = { network, scheduler, signal: over.signal }
    const sent = to.map((party) => deliver(signerOf(committee, party), id, bytes, options))
    await within(FAREWELL_MS, Promise.allSettled(sent))
    over.abort()
  }

  let ending = false
  async function end(state: EndState): Promise<void> {
    if (ending) return
    ending = true
    cancelTimer()
    detach()
    stopWatching()
    lifetime.abort()
    const posted = within(FAREWELL_MS, outbox.drained())
    while (inFlight.size > 0) await Promise.all(inFlight)
    await options.release(state).catch((error: unknown) => logger.error({ err: error }, "release failed"))
    await Promise.all([...farewells, posted])
    posting.abort()
    resolveEnded(state)
  }

  function perform(effect: CeremonyEffect): void {
    switch (effect.kind) {
      case "produce":
        run(effect.round, () => produce(effect.round, effect.previous))
        break
      case "send-message":
        sendMessage(effect.message)
        break
      case "sign-echo":
        run(effect.round, async () => {
          const echo = await signEcho(attempt, effect.round, effect.headers, sign)
          dispatch({ kind: "echo-signed", echo })
        })
        break
      case "send-echo": {
        const bytes = encodeEcho(attempt, effect.echo)
        for (const party of others) post(party, "echo", bytes)
        break
      }
      case "consume":
        run(effect.incoming.round, async () => {
          await roundAt(effect.incoming.round).consume(effect.incoming)
          dispatch({ kind: "consumed", round: effect.incoming.round })
        })
        break
      case "set-timer": {
        const { round, stage, milliseconds } = effect
        cancelTimer()
        cancelTimer = scheduler.after(milliseconds, () => dispatch({ kind: "timeout", round, stage }))
        break
      }
      case "clear-timer":
        cancelTimer()
        break
      case "progress": {
        const { name, round, rounds: total } = effect
        logger.info({ round: name, number: round, of: total }, "ceremony round")
        const { keyId, n } = committee
        deps.onProgress({ keyId, phase: name, round, plan, n, bytesSent })
        break
      }
      case "send-abort": {
        const { code, culprits, suspects } = effect.word
        logger.warn({ code, culprits, suspects }, "ceremony aborts")
        // Nothing that holds a secret waits for a peer that is gone.
        farewells.push(
          sendAbort(effect.word, others).catch((err: unknown) =>
            logger.error({ err }, "an abort was not sent"),
          ),
        )
        break
      }
      case "send-excuse": {
        const { to, word } = effect
        logger.warn(
          { to, code: word.code, missing: word.culprits },
          "a peer waits for this node, which waits itself",
        )
        farewells.push(
          sendAbort(word, [to]).catch((err: unknown) => logger.error({ err }, "an excuse was not sent")),
        )
        break
      }
      case "submit":
        run(rounds.length, () => options.submit())
        break
      case "end":
        if (state.status !== "finished" && state.status !== "aborted")
          throw new Error("end of a live attempt")
        void end(state)
        break
      default:
        assertNever(effect)
    }
  }

  function dispatch(event: CeremonyEvent): void {
    queue.push(event)
    if (draining) return
    draining = true
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const step = transition(state, next)
        state = step.state
        for (const effect of step.effects) perform(effect)
      }
    } finally {
      draining = false
    }
  }

  /** Decodes; what is wrong with the bytes is held against the channel's peer, never thrown back at it. */
  function admit(from: PartyIndex, decode: () => CeremonyEvent): void {
    try {
      dispatch(decode())
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      const { code, message } = error.detail
      dispatch({ kind: "refused", from, code: refusalCode(code), message })
    }
  }

  async function receive(protocol: CeremonyProtocol, sender: Address, payload: Uint8Array): Promise<void> {
    if (protocol === "chunk" || protocol === "verdict") {
      await options.receive(protocol, sender, payload)
      return
    }
    const from = partyOf(committee, sender)
    if (from === null || from === self)
      throw refuse("CEREMONY_FOREIGN", `${sender} holds no other seat of this key`)
    const { recover } = deps
    const expected: Expectation = { attempt, from, verifyHeader, limitsOf, ...(recover && { recover }) }
    switch (protocol) {
      case "message":
        admit(from, () => ({ kind: "message", message: decodeRoundMessage(payload, expected) }))
        break
      case "echo":
        admit(from, () => ({ kind: "echo", echo: decodeEcho(payload, expected) }))
        break
      case "abort":
        admit(from, () => ({ kind: "abort", abort: decodeAbort(payload, expected) }))
        break
      default:
        assertNever(protocol)
    }
  }

  const first = startAttempt(
    attempt,
    rounds.map(({ spec }) => spec),
  )
  let state: CeremonyState = first.state
  const detach = deps.router.attach(committee.keyId, attempt.attempt, receive, options.answer)
  const stopWatching = options.watchChain(dispatch)
  for (const effect of first.effects) perform(effect)
  return {
    ended,
    state: () => state,
    stop: () => {
      dispatch({ kind: "stopped" })
      if (state.status === "awaiting-chain") void end(state)
      return ended
    },
  }
}

const OWN_CODES: ReadonlySet<string> = new Set<CeremonyErrorCode>([
  "CEREMONY_FOREIGN",
  "CEREMONY_BAD_SIGNATURE",
  "CEREMONY_OUT_OF_ORDER",
])

/** Codec and identifier errors are all one thing to the outside: bytes that are no message. */
const refusalCode = (code: string): CeremonyErrorCode =>
  OWN_CODES.has(code) ? (code as CeremonyErrorCode) : "CEREMONY_GARBLED"
