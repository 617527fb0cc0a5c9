/**
 * Exchange of roots after a discard (protocol §4): waits until a key whose ceremony failed here is discarded for good,
 * reveals the own root to the other parties, collects theirs, and keeps a blame file for the operator, who replays it with
 * `twinlock blame`. Nobody is asked for a root: a party reveals by what it reads from the chain itself, or not at all.
 */
import { partyOf } from "@twinlock/sdk/protocol/committee"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, KeyId } from "@twinlock/sdk/protocol/ids"
import type { SignerRecovery } from "@twinlock/sdk/protocol/signature"
import type { ChainView } from "../../chain/chainView.ts"
import type { Scheduler } from "../../clock.ts"
import type { Network } from "../../p2p/network.ts"
import type { Logger } from "../../telemetry/logger.ts"
import type { SeatSigner } from "../attempt.ts"
import { pause } from "../outbox.ts"
import { encodeBlameFile } from "./blameFile.ts"
import { blameError, committeeOf, type FailedAttempt } from "./failedAttempt.ts"
import { FinalDiscard } from "./finalDiscard.ts"
import { decodeReveal, encodeReveal, REVEAL_BYTES, type Reveal, signReveal, verifyReveal } from "./reveal.ts"
import type { RootVault } from "./rootVault.ts"

export const REVEAL_PROTOCOL = { id: "/twinlock/ceremony/reveal/1", maxBytes: REVEAL_BYTES } as const

export type BlameTimeouts = {
  /** Between looks at the chain, and between attempts to reach a peer. */
  readonly pollMs: number
  /** How long reveals of others are waited for; then the file is kept without them. */
  readonly revealsMs: number
}

export const BLAME_TIMEOUTS: BlameTimeouts = { pollMs: 15_000, revealsMs: 3_600_000 }

export type BlameServiceDeps = {
  readonly chain: Pick<ChainView, "head" | "key">
  readonly network: Network
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly sign: SeatSigner
  readonly recover?: SignerRecovery
  readonly roots: RootVault
  readonly timeouts: BlameTimeouts
  /** Keeps the newest blame file of a key. */
  keepBlameFile(keyId: KeyId, file: Uint8Array): Promise<void>
}

export type BlameService = {
  /** Takes up what earlier processes left. */
  start(): void
  /** An attempt at this key has failed. */
  consider(keyId: KeyId): void
  stop(): Promise<void>
}

export function createBlameService(deps: BlameServiceDeps): BlameService {
  const { chain, network, scheduler, roots, timeouts } = deps
  const logger = deps.logger.child({ module: "blame" })
  const lifetime = new AbortController()
  const { signal } = lifetime
  const running = new Map<KeyId, Promise<void>>()
  const rest = (): Promise<void> => pause(timeouts.pollMs, { scheduler, signal })

  async function discarded(keyId: KeyId): Promise<FinalDiscard | null> {
    for (; !signal.aborted; await rest()) {
      const discard = await FinalDiscard.read(keyId, chain).catch((err: unknown) => {
        logger.warn({ err, ceremony: keyId }, "the fate of a failed ceremony cannot be read")
        return null
      })
      if (discard !== null) return discard
    }
    return null
  }

  async function send(reveal: Reveal, to: Address, until: number): Promise<void> {
    for (let spent = 0; !signal.aborted && spent < until; spent += timeouts.pollMs) {
      try {
        return await network.send(to, REVEAL_PROTOCOL.id, encodeReveal(reveal), signal)
      } catch (error) {
        if (signal.aborted) return
        if (!isProtocolError(error, "PEER_UNREACHABLE", "PEER_REFUSED")) throw error
      }
      await rest()
    }
  }

  /** Keeps the file when all have revealed, or when time is up and whenever one more comes later. */
  async function collect(failed: FailedAttempt): Promise<void> {
    const { keyId, proposal } = failed
    let written = 0
    for (let spent = 0; !signal.aborted; spent += timeouts.pollMs) {
      const reveals = await roots.reveals(failed)
      const all = reveals.length === proposal.parties.length
      if (reveals.length > written && (all || spent >= timeouts.revealsMs)) {
        await deps.keepBlameFile(keyId, encodeBlameFile({ failed, reveals }))
        written = reveals.length
        logger.warn({ ceremony: keyId, reveals: written }, "a discarded key can be replayed")
      }
      if (all) return
      await rest()
    }
  }

  async function settle(keyId: KeyId): Promise<void> {
    const failed = await roots.attempt(keyId)
    if (failed === null) return
    const discard = await discarded(keyId)
    if (discard === null) return
    const { self } = network
    const party = partyOf(committeeOf(failed), self)
    if (party === null) return
    const root = await roots.reveal(discard, self)
    const reveal = await signReveal({ keyId, attempt: failed.attempt, party, root }, deps.sign)
    await roots.add(reveal)
    const others = failed.proposal.parties.filter((other) => other !== self)
    await Promise.all([...others.map((to) => send(reveal, to, timeouts.revealsMs)), collect(failed)])
  }

  function consider(keyId: KeyId): void {
    if (signal.aborted || running.has(keyId)) return
    const work = settle(keyId).catch((err: unknown) =>
      logger.error({ err, ceremony: keyId }, "a failed ceremony cannot be settled"),
    )
    running.set(keyId, work)
  }

  network.onMessage(REVEAL_PROTOCOL.id, REVEAL_PROTOCOL.maxBytes, async (from, payload) => {
    const reveal = decodeReveal(payload)
    const failed = await roots.attempt(reveal.keyId)
    if (failed === null) throw blameError("BLAME_FOREIGN", `no ceremony of key ${reveal.keyId} failed here`)
    if (failed.proposal.parties[reveal.party - 1] !== from)
      throw blameError("BLAME_FOREIGN", `${from} reveals for party ${reveal.party}`)
    verifyReveal(reveal, failed, deps.recover)
    await roots.add(reveal)
  })

  return {
    start() {
      void roots
        .kept()
        .then((keys) => keys.forEach(consider))
        .catch((err: unknown) => logger.error({ err }, "failed ceremonies cannot be listed"))
    },
    consider,
    async stop() {
      lifetime.abort()
      await Promise.all(running.values())
    },
  }
}
