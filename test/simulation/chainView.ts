/** One process's view of the chain: late by its endpoints' lag, slow or silent with their weather, never wrong. */
import type { BlockRef, ChainErrorCode, ChainView, HandleFacts } from "@twinlock/node/chain/chainView"
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Handle, KeyId, RequestId } from "@twinlock/sdk/protocol/ids"
import { NO_DIGEST, type SimulatedChain } from "./chain.ts"
import type { Random } from "./random.ts"
import type { Process, Timeline } from "./timeline.ts"

/** Of one node's endpoints: milliseconds of a read (0: none), share of reads that fail, blocks behind. */
export type ChainWeather = { latency: number; failures: number; lag: number }

/** A hint about a head comes within this time, or not at all. */
const HINT_MS = 50

export function viewOf(
  chain: SimulatedChain,
  process: Process,
  weather: ChainWeather,
  timeline: Timeline,
  random: Random,
): ChainView {
  let newest = 0
  const listeners = new Set<() => void>()
  chain.onBlock(() => {
    if (!process.alive || listeners.size === 0 || random.chance(0.1)) return
    timeline.after(random.exponential(HINT_MS), process, () => {
      for (const listener of [...listeners]) listener()
    })
  })

  function read<T>(value: () => T): Promise<T> {
    if (random.chance(weather.failures))
      return Promise.reject(
        new ProtocolError({
          code: "CHAIN_UNAVAILABLE" satisfies ChainErrorCode,
          message: "no endpoint answers",
        }),
      )
    if (weather.latency === 0) return Promise.resolve(value())
    return new Promise((resolve) =>
      timeline.after(random.exponential(weather.latency), process, () => resolve(value())),
    )
  }
  const at = ({ number }: BlockRef): number => Number(number)
  const known = (kind: string, from: bigint, to: BlockRef) =>
    chain.events
      .filter((event) => event.kind === kind && event.block >= Number(from) && event.block <= at(to))
      .map(({ id }) => id)

  function handleFacts(handle: Handle, block: BlockRef): HandleFacts {
    const anchored = chain.anchored.get(handle)?.at(at(block)) ?? null
    const allowedForDecryption = chain.publiclyAllowed.get(handle)?.at(at(block)) ?? false
    const status = anchored?.status ?? "none"
    const isFinal = anchored !== null && status === "final"
    return {
      ...{ handle, allowedForDecryption },
      commitment: { leaf: isFinal ? anchored.ciphertext.leaf : NO_DIGEST, status },
      details: isFinal ? anchored.ciphertext.details : null,
    }
  }
  const requestAt = (id: RequestId, block: BlockRef) => chain.requests.get(id)?.at(at(block)) ?? null
  const nodeAt = (signer: Parameters<ChainView["node"]>[0], block: BlockRef) =>
    chain.nodes.get(signer)?.at(at(block)) ?? null

  return {
    head: () =>
      read(() => {
        newest = Math.max(newest, chain.finalised - weather.lag)
        return chain.block(newest)
      }),
    block: (number) => read(() => chain.block(Number(number))),
    onHead(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    node: (signer, block) => read(() => nodeAt(signer, block)),
    nodes: (signers, block) => read(() => new Map(signers.map((signer) => [signer, nodeAt(signer, block)]))),
    key: (keyId, block) => read(() => chain.keys.get(keyId)?.at(at(block)) ?? null),
    committee: (keyId, epoch, block) =>
      read(() => {
        const proposal = chain.keys.get(keyId)?.at(at(block))?.proposal
        return proposal === undefined
          ? null
          : createCommittee({ keyId, epoch, t: proposal.t, parties: proposal.parties })
      }),
    executors: (keyId, block) =>
      read(() => {
        const proposal = chain.keys.get(keyId)?.at(at(block))?.proposal
        return { members: proposal?.executors ?? [], k: proposal?.k ?? 2 }
      }),
    commitment: (handle, block) => read(() => handleFacts(handle, block).commitment),
    commitmentDetails: (handle, block) => read(() => handleFacts(handle, block).details),
    request: (id, block) => read(() => requestAt(id, block)),
    requestFacts: (ids, block) =>
      read(
        () =>
          new Map(
            // Now and then an endpoint misses the facts of one.
            ids
              .filter(() => !random.chance(weather.failures))
              .map((id) => {
                const request = requestAt(id, block)
                const facts = (handle: Handle) => handleFacts(handle, block)
                return [id, request === null ? null : { request, handles: request.handles.map(facts) }]
              }),
          ),
      ),
    requestStatuses: (ids, block) =>
      read(
        () =>
          new Map(ids.filter(() => !random.chance(weather.failures)).map((id) => [id, requestAt(id, block)])),
      ),
    requestsSince: (from, to) => read(() => known("request", from, to) as RequestId[]),
    proposalsSince: (from, to) => read(() => known("proposal", from, to) as KeyId[]),
    isAllowedForDecryption: (handle, block) => read(() => handleFacts(handle, block).allowedForDecryption),
    isAllowed: (handle, account) => read(() => chain.readers.has(`${handle}/${account}`)),
    permitFloor: () => read(() => ({ nonce: 0n, invalidBefore: 0n })),
    isValidContractSignature: () => read(() => false),
  }
}
