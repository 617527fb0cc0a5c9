/**
 * The node's part in key ceremonies, from the chain's proposals to stored shares: watches for proposals that name this
 * node, runs one attempt at a time, and settles what an earlier process left behind. Nothing is ever resumed: a key that
 * was attempted before the restart is announced as aborted, and a share that was stored waits for the chain's word.
 */
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { type Epoch, type KeyId, parseEpoch, parseKeyId } from "@twinlock/sdk/protocol/ids"
import type { BlockRef, ChainView, HostBinding, KeyRecord } from "../chain/chainView.ts"
import { announceStopped } from "./announceStopped.ts"
import { attemptFor, type CeremonyDeps, startCeremony } from "./ceremony.ts"
import { engineFor, type KeygenEngine } from "./engine.ts"
import { pause } from "./outbox.ts"
import { checkProposal, missingPeers } from "./proposal.ts"
import type { EndState, Runner } from "./runner.ts"

/** The registry's proposals as agreed events. */
export type Proposals = {
  /** Keys proposed in blocks `fromBlock`..`to`, in chain order. */
  proposalsSince(fromBlock: bigint, to: BlockRef): Promise<readonly KeyId[]>
}

export type CeremonyServiceOptions = {
  readonly host: HostBinding
  /** First block that may hold a proposal: the registry's deployment. */
  readonly fromBlock: bigint
}

export type CeremonyServiceDeps = Omit<CeremonyDeps, "chain" | "engine"> & {
  /** One for each parameter set that this node makes keys of. */
  readonly engines: readonly KeygenEngine[]
  readonly chain: Pick<ChainView, "head" | "key" | "node"> & Proposals
  /** A key of this node is active and its shares are stored: after a ceremony, or after a restart. */
  onActiveKey(record: KeyRecord): void
  /** An attempt of this process has ended. */
  onEnd(record: KeyRecord, state: EndState): void
}

export type CeremonyService = {
  start(): void
  /** Ends a running attempt: it aborts, or waits for the chain after the next start. */
  stop(): Promise<void>
  /** The running attempt, for health and metrics. */
  current(): { readonly record: KeyRecord; readonly runner: Runner } | null
}

export function createCeremonyService(
  { host, fromBlock }: CeremonyServiceOptions,
  deps: CeremonyServiceDeps,
): CeremonyService {
  const { chain, engines, network, vault, scheduler, timeouts } = deps
  const parameters = engines.map(({ parametersHash }) => parametersHash)
  const logger = deps.logger.child({ module: "ceremony" })
  const lifetime = new AbortController()
  const { signal } = lifetime
  let current: { readonly record: KeyRecord; readonly runner: Runner } | null = null
  let work: Promise<void> = Promise.resolve()

  /** Waits for channels to all that must take part. @returns false where the proposal closed meanwhile */
  async function assemble(record: KeyRecord): Promise<boolean> {
    while (!signal.aborted) {
      const head = await chain.head()
      const now = await chain.key(record.keyId, head)
      if (now?.status !== "proposed" || head.timestamp >= record.proposal.deadline) return false
      const missing = missingPeers(record, network.self, network.peers())
      if (missing.length === 0) return true
      logger.info({ ceremony: record.keyId, missing }, "waiting for peers of a proposed key")
      await pause(timeouts.pollMs, { scheduler, signal })
    }
    return false
  }

  async function attempt(record: KeyRecord): Promise<void> {
    if (!(await assemble(record))) return
    try {
      const runner = await startCeremony(record, { ...deps, engine: engineFor(engines, record.proposal) })
      current = { record, runner }
      const state = await runner.ended
      deps.onEnd(record, state)
      if (state.status === "finished") deps.onActiveKey(record)
    } catch (error) {
      if (!isProtocolError(error, "CEREMONY_ATTEMPTED")) throw error
      logger.warn({ ceremony: record.keyId }, "this key was attempted before a restart")
      await announceStopped(attemptFor(record, network.self), deps)
    } finally {
      current = null
    }
  }

  /** Chunks that an earlier process had summed. */
  const removeLeftovers = (): Promise<void> =>
    deps.sums.clear().catch((err: unknown) => logger.warn({ err }, "files of an earlier attempt stay"))

  /** Shares that an earlier process stored: the chain says what becomes of them. */
  async function settleStored(): Promise<void> {
    const seats = (await vault.stored()).map((name) => {
      const [id, number] = name.split("/")
      return { keyId: parseKeyId(id ?? ""), epoch: parseEpoch(Number(number)) }
    })
    await Promise.all(seats.map(settle))
  }

  async function settle(seat: { readonly keyId: KeyId; readonly epoch: Epoch }): Promise<void> {
    for (; !signal.aborted; await pause(timeouts.pollMs, { scheduler, signal })) {
      const record = await readSettled(seat.keyId)
      if (record === null) continue
      if (record.status === "active") return serve(record)
      logger.warn({ ceremony: seat.keyId }, "shares of a key that was never activated are removed")
      return vault.remove(seat)
    }
  }

  /** An image without the engine of a key's parameters must not touch its shares, and must not lose them either. */
  function serve(record: KeyRecord): void {
    if (parameters.includes(record.proposal.parametersHash)) return deps.onActiveKey(record)
    const { keyId, proposal } = record
    logger.error(
      { ceremony: keyId, parameters: proposal.parametersHash },
      "this image has no engine for the parameters of a key whose shares it holds",
    )
  }

  /** The key's record once it is active or can never be; null before, and where the chain cannot be read. */
  async function readSettled(keyId: KeyId): Promise<KeyRecord | null> {
    try {
      const head = await chain.head()
      const record = await chain.key(keyId, head)
      if (record === null || record.status !== "proposed") return record
      return head.timestamp > record.proposal.deadline ? record : null
    } catch (error) {
      logger.warn({ err: error, ceremony: keyId }, "the fate of stored shares cannot be read")
      return null
    }
  }

  async function consider(record: KeyRecord, head: BlockRef): Promise<void> {
    try {
      await checkProposal(record, head, { self: network.self, host, parameters }, chain)
    } catch (error) {
      if (isProtocolError(error, "PROPOSAL_NOT_MINE", "PROPOSAL_CLOSED")) return
      logger.warn({ err: error, ceremony: record.keyId }, "a proposed key is refused")
      return
    }
    await attempt(record)
  }

  async function watch(): Promise<void> {
    for (let next = fromBlock; !signal.aborted; await pause(timeouts.pollMs, { scheduler, signal })) {
      try {
        const head = await chain.head()
        if (head.number < next) continue
        for (const keyId of await chain.proposalsSince(next, head)) {
          const record = await chain.key(keyId, head)
          if (record !== null) await consider(record, head)
        }
        next = head.number + 1n
      } catch (error) {
        logger.warn({ err: error }, "proposals cannot be read")
      }
    }
  }

  return {
    start() {
      work = removeLeftovers()
        .then(() => Promise.all([settleStored(), watch()]))
        .then(() => {})
        .catch((error: unknown) => logger.error({ err: error }, "the watch for proposals ended"))
    },
    async stop() {
      lifetime.abort()
      await current?.runner.stop()
      await work
    },
    current: () => current,
  }
}
