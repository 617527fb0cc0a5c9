/**
 * Keeps this node's standing (protocol §2): follows the own record in the registry and renews it with a fresh quote
 * before it runs out, or as soon as a measurement that had been taken off the allow-list is back.
 */
import { composeHashOfConfigId } from "@twinlock/sdk/attestation/composeHash"
import { imageIdOf } from "@twinlock/sdk/attestation/policy"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { concatBytes, fromHex, taggedHash } from "@twinlock/sdk/protocol/codec"
import { assertNever } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest } from "@twinlock/sdk/protocol/ids"
import type { PartHealth } from "./api/health.ts"
import type { Measurement } from "./attestation/peerPolicy.ts"
import type { Quoter } from "./attestation/quoter.ts"
import { prepareRegistration } from "./attestation/registration.ts"
import { type RenewalState, renewalState } from "./attestation/renewal.ts"
import type { BlockRef, ChainView, NodeRecord, NodeRole } from "./chain/chainView.ts"
import { nodeRegistryInterface } from "./chain/contracts.ts"
import type { RegistryPolicy } from "./chain/registryPolicy.ts"
import type { Transactor } from "./chain/transactor.ts"
import type { Scheduler } from "./clock.ts"
import type { Service } from "./nodeContext.ts"
import { every, repeat } from "./repeat.ts"
import type { Logger } from "./telemetry/logger.ts"
import type { Metrics } from "./telemetry/metrics.ts"

export type StandingKeeperOptions = {
  readonly chainId: bigint
  readonly nodeRegistry: Address
  readonly signer: Address
  readonly role: NodeRole
  readonly configHash: Digest
  readonly pollMs: number
}

export type StandingKeeperDeps = {
  readonly chain: Pick<ChainView, "head" | "node">
  readonly policy: Pick<RegistryPolicy, "isAllowed" | "floors">
  readonly quoter: Quoter
  readonly transactor: Pick<Transactor, "send">
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
}

/** What the keeper knows, for the operator. Times are chain time, unix seconds. */
export type StandingFacts = {
  /** Null before the first look, or where the node is not registered. */
  readonly liveUntil: number | null
  /** The last renewal by this process. */
  readonly renewedAt: number | null
  /** Failed renewals since the last good one, and why the newest failed. */
  readonly failedAttempts: number
  readonly lastFailure: string | null
}

export type StandingKeeper = Service & {
  health(): PartHealth
  facts(): StandingFacts
  /** One look at the registry, with a renewal where one is due. Errors of the chain are thrown. */
  look(): Promise<void>
}

/** What the node knows of itself between two looks. */
type Memory = {
  /** Newest end of standing and the chain time at which it was first seen. */
  liveUntil: bigint | null
  since: bigint
  attempts: number
  /** Chain time before which a failed renewal is not repeated. */
  notBefore: bigint
  allowed: boolean
  /** The registry's floors at the last look, and whether they changed since the last renewal. */
  floors: { readonly tcb: number; readonly qe: number } | null
  outdated: boolean
  renewedAt: bigint | null
  lastFailure: string | null
}

export function createStandingKeeper(
  options: StandingKeeperOptions,
  deps: StandingKeeperDeps,
): StandingKeeper {
  const { chainId, nodeRegistry, signer, role, configHash, pollMs } = options
  const { chain, policy, quoter, transactor, scheduler, logger, metrics } = deps
  const secondsLeft = metrics?.gauge({ name: "standing_left", help: "Seconds until the own standing ends" })
  const renewals = metrics?.counter({ name: "renewals_total", help: "Renewals", labels: ["outcome"] })
  const renewedAt = metrics?.gauge({
    name: "last_renewal",
    help: "Chain time of the last renewal by this process, unix seconds",
  })
  const memory: Memory = {
    ...{ liveUntil: null, since: 0n, attempts: 0, notBefore: 0n, allowed: true },
    ...{ floors: null, outdated: false, renewedAt: null, lastFailure: null },
  }
  let health: PartHealth = { ready: false, reason: "the registry was not read yet" }
  let measurement: Promise<Measurement> | null = null

  /** What this node's own quotes say it is. */
  const ownMeasurement = (): Promise<Measurement> => {
    measurement ??= quoter
      .quote(concatBytes(fromHex(taggedHash("twinlock/self-check/v1")), new Uint8Array(32)))
      .then(({ quote, configDocument }) => {
        const { report } = parseQuote(quote)
        return {
          role,
          imageId: imageIdOf(report),
          composeHash: composeHashOfConfigId(report.mrConfigId, configDocument),
        }
      })
    measurement.catch(() => {
      measurement = null
    })
    return measurement
  }

  async function renew(record: NodeRecord, at: BlockRef): Promise<void> {
    const { operator, peerIdHash } = record
    const { evidence } = await prepareRegistration(
      { chainId, nodeRegistry, operator, role, signer, peerIdHash, configHash, challenge: at },
      quoter,
    )
    const { gasUsed } = await transactor.send({
      to: nodeRegistry,
      abi: nodeRegistryInterface,
      method: "renew",
      args: [signer, at.number, evidence],
    })
    logger.info({ challengeBlock: `${at.number}`, gas: Number(gasUsed) }, "standing renewed")
  }

  async function attempt(record: NodeRecord, at: BlockRef, retryAt: bigint): Promise<void> {
    if (at.timestamp < memory.notBefore) return
    try {
      await renew(record, at)
      memory.attempts = 0
      memory.outdated = false
      memory.renewedAt = at.timestamp
      memory.lastFailure = null
      renewedAt?.set(Number(at.timestamp))
      // The new end shows at a later final block; until then nothing is repeated.
      memory.notBefore = retryAt
      renewals?.add({ outcome: "renewed" })
    } catch (error) {
      memory.attempts++
      memory.lastFailure = error instanceof Error ? error.message : "unknown failure"
      memory.notBefore = retryAt
      renewals?.add({ outcome: "failed" })
      logger.warn({ err: error, attempts: memory.attempts }, "renewal failed")
    }
  }

  /** Standing that is gone comes back only while an entry allows the measurement; asked before gas is spent. */
  async function attemptLapsed(record: NodeRecord, at: BlockRef, retryAt: bigint): Promise<void> {
    const allowed = await policy.isAllowed(await ownMeasurement(), at)
    if (allowed && !memory.allowed) {
      memory.attempts = 0
      memory.notBefore = 0n
    }
    memory.allowed = allowed
    if (allowed) await attempt(record, at, retryAt)
  }

  async function act(state: RenewalState, record: NodeRecord, at: BlockRef): Promise<void> {
    const left = record.liveUntil > at.timestamp ? record.liveUntil - at.timestamp : 0n
    secondsLeft?.set(Number(left))
    health = { ready: left > 0n, reason: left > 0n ? `standing for ${left} s` : "standing is gone" }
    switch (state.status) {
      case "fresh":
        memory.notBefore = 0n
        return
      case "urgent":
        logger.warn({ secondsLeft: Number(state.secondsLeft) }, "standing runs out soon")
        return attempt(record, at, state.retryAt)
      case "due":
        return attempt(record, at, state.retryAt)
      case "lapsed":
        return attemptLapsed(record, at, state.retryAt)
      default:
        return assertNever(state)
    }
  }

  /** Floors move when Intel's sets do: standing that was granted below them is worth a new quote at once. */
  async function noteFloors(at: BlockRef): Promise<void> {
    const floors = await policy.floors(at)
    const before = memory.floors
    memory.floors = floors
    if (before === null || (before.tcb === floors.tcb && before.qe === floors.qe)) return
    logger.info({ before, floors }, "floors of evaluation numbers moved")
    memory.outdated = true
    memory.attempts = 0
    memory.notBefore = 0n
  }

  async function look(): Promise<void> {
    const at = await chain.head()
    const record = await chain.node(signer, at)
    if (record === null || record.revoked) {
      memory.liveUntil = null
      health = { ready: false, reason: record === null ? "not registered" : "revoked" }
      return
    }
    await noteFloors(at)
    if (record.liveUntil !== memory.liveUntil) {
      memory.liveUntil = record.liveUntil
      memory.since = at.timestamp
    }
    await act(
      renewalState(
        { since: memory.since, liveUntil: record.liveUntil, outdated: memory.outdated },
        at.timestamp,
        memory.attempts,
      ),
      record,
      at,
    )
  }

  const looks = repeat(scheduler, look, {
    pause: every(pollMs),
    onError: (error) => logger.warn({ err: error }, "own standing cannot be read"),
  })

  return {
    look,
    health: () => health,
    facts: () => ({
      liveUntil: memory.liveUntil === null ? null : Number(memory.liveUntil),
      renewedAt: memory.renewedAt === null ? null : Number(memory.renewedAt),
      failedAttempts: memory.attempts,
      lastFailure: memory.lastFailure,
    }),
    async start() {
      looks.start()
    },
    async stop() {
      looks.stop()
    },
  }
}
