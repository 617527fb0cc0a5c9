/**
 * Defects that the simulation must find: each changes what one part of a node is given, never the node's code. Whoever
 * adds an invariant adds the defect that breaks it.
 */

import { FROST_SHARE_KIND, KEY_SHARE_KIND } from "@twinlock/node/ceremony/shareVault"
import { signAs, topicOf } from "@twinlock/node/decryption/seat"
import type { DecryptionDeps } from "@twinlock/node/decryption/service"
import type { SealedStore } from "@twinlock/node/storage/sealedStore"
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { DecryptionShares } from "@twinlock/sdk/protocol/messages"
import { add, decode, encode, mul, ZERO } from "@twinlock/sdk/threshold/galoisRing"
import type { OpeningKernel } from "@twinlock/sdk/threshold/openingKernel"
import { lagrangeAtZero } from "@twinlock/sdk/threshold/shamir"
import type { Invariant } from "./failure.ts"
import { createRandom } from "./random.ts"
import type { Planted } from "./world.ts"

export type Defect = Planted & {
  /** What it may break first. */
  readonly breaks: readonly Invariant[]
}

const NEVER_MS = 2 ** 40

/** Records of one kind are lost with the process. */
function forgetful(store: SealedStore, kinds: readonly string[]): SealedStore {
  const kept = new Map<string, Uint8Array>()
  const volatile = (kind: string): boolean => kinds.includes(kind)
  return {
    ...store,
    get: (kind, id) =>
      volatile(kind) ? Promise.resolve(kept.get(id)?.slice() ?? null) : store.get(kind, id),
    async put(kind, id, bytes) {
      if (volatile(kind)) kept.set(id, bytes.slice())
      else await store.put(kind, id, bytes)
    },
    async putMany(records) {
      for (const { kind, id, bytes } of records) if (volatile(kind)) kept.set(id, bytes.slice())
      await store.putMany(records.filter(({ kind }) => !volatile(kind)))
    },
    async putIfAbsent(kind, id, bytes) {
      if (!volatile(kind)) return store.putIfAbsent(kind, id, bytes)
      const stored = kept.get(id) ?? bytes.slice()
      kept.set(id, stored)
      return stored.slice()
    },
  }
}

/** Acknowledges writes before they are durable. */
const hasty = (store: SealedStore): SealedStore => ({
  ...store,
  async put(kind, id, bytes) {
    void store.put(kind, id, bytes).catch(() => {})
  },
  async putMany(records) {
    void store.putMany(records).catch(() => {})
  },
  async putIfAbsent(kind, id, bytes) {
    const stored = await store.get(kind, id)
    if (stored !== null) return stored
    void store.putIfAbsent(kind, id, bytes).catch(() => {})
    return bytes.slice()
  },
})

/** Shares leave together with the own approval. */
function eager(deps: DecryptionDeps): DecryptionDeps {
  const { network, seat, holder } = deps
  return {
    ...deps,
    network: {
      ...network,
      async publish(topic, payload) {
        await network.publish(topic, payload)
        const message = decodeMessage(payload)
        if (message.kind !== "approval") return
        const items = message.approved.flatMap(({ subject, sessions }) =>
          sessions.map((sessionId) => ({ subject, sessionId })),
        )
        const computed = await holder.decryptionShares(
          items.map(({ sessionId }) => ({ session: sessionId, words: new Uint8Array(), format: "raw" })),
        )
        const shares = items.map((item, i) => ({ ...item, share: computed[i] ?? new Uint8Array() }))
        const early = signAs<DecryptionShares>(seat, { kind: "decryption-shares", shares })
        await network.publish(topicOf("decryption-shares", seat), encodeMessage(early))
      },
    },
  }
}

/** Believes the first t + 1 shares. */
const gullible: OpeningKernel = ({ t, blocks }) => {
  const heard: { readonly party: PartyIndex; readonly share: Uint8Array }[] = []
  return {
    add(party, share) {
      if (heard.length <= t) heard.push({ party, share: share.slice() })
      return heard.length > t ? [] : null
    },
    values() {
      const weights = lagrangeAtZero(heard.map(({ party }) => party))
      const block = (k: number) =>
        heard.reduce((sum, { share }, i) => add(sum, mul(weights[i] ?? ZERO, decode(share, k))), ZERO)
      return concatBytes(...Array.from({ length: blocks }, (_, k) => encode(block(k))))
    },
  }
}

/** Approvals and shares are said once and never again. */
function mute(deps: DecryptionDeps): DecryptionDeps {
  const said = new Set<string>()
  return {
    ...deps,
    network: {
      ...deps.network,
      async publish(topic, payload) {
        const message = decodeMessage(payload)
        const content =
          message.kind === "approval"
            ? message.approved.map(({ subject }) => subject).join()
            : message.kind === "decryption-shares"
              ? message.shares.map(({ subject, sessionId }) => subject + sessionId).join()
              : null
        if (content !== null && said.has(message.kind + content)) return
        said.add(message.kind + content)
        await deps.network.publish(topic, payload)
      },
    },
  }
}

export const DEFECTS: readonly Defect[] = [
  {
    name: "shares leave before a quorum approved",
    breaks: ["approvals"],
    wrap: eager,
  },
  {
    name: "the same randomness after a restart",
    breaks: ["nonces"],
    wrap: (deps, { machine, world }) => ({
      ...deps,
      rng: createRandom(`${world.plan.seed}/same/${machine.party}`).bytes,
    }),
  },
  {
    name: "the release log is not durable",
    breaks: ["release", "culprits"],
    store: (store) => forgetful(store, ["release"]),
  },
  {
    name: "the block budget is not durable",
    breaks: ["budget"],
    store: (store) => forgetful(store, ["block-budget", "block-budget-session"]),
  },
  {
    name: "the store acknowledges too early",
    breaks: ["budget", "release"],
    store: hasty,
  },
  {
    name: "shares of a new key are not durable",
    breaks: ["ceremony", "liveness"],
    store: (store) => forgetful(store, [KEY_SHARE_KIND, FROST_SHARE_KIND]),
  },
  {
    name: "a share has fresh noise each time",
    breaks: ["same-bytes", "plaintext", "culprits"],
    wrap: (deps, { life }) => ({
      ...deps,
      holder: {
        ...deps.holder,
        decryptionShares: async (work) => {
          const shares = await deps.holder.decryptionShares(work)
          return shares.map((share) => {
            const bytes = Uint8Array.from(share)
            // Fresh per process, within the range of the masks.
            bytes[1] = (bytes[1] ?? 0) ^ life
            return bytes
          })
        },
      },
    }),
  },
  {
    name: "nobody takes over from a silent aggregator",
    breaks: ["liveness"],
    wrap: (deps) => ({ ...deps, options: { ...deps.options, takeoverMs: NEVER_MS } }),
  },
  {
    name: "nothing is said twice",
    breaks: ["liveness"],
    wrap: mute,
  },
  {
    name: "a restarted node starts reading at the newest block",
    breaks: ["liveness"],
    wrap: (deps, { life, world }) => ({
      ...deps,
      startBlock: life === 1 ? deps.startBlock : BigInt(world.chain.latest),
    }),
  },
  {
    name: "the standing of a party is read once",
    breaks: ["liveness"],
    wrap: (deps) => {
      const known = new Map<string, Awaited<ReturnType<typeof deps.view.node>>>()
      const node: typeof deps.view.node = async (signer, at) => {
        const record = known.get(signer) ?? (await deps.view.node(signer, at))
        known.set(signer, record)
        return record
      }
      return {
        ...deps,
        view: {
          ...deps.view,
          node,
          nodes: async (signers, at) =>
            new Map(await Promise.all(signers.map(async (s) => [s, await node(s, at)] as const))),
        },
      }
    },
  },
  {
    name: "requests may be cancelled after they are judged",
    breaks: ["certificate"],
    wrap: (deps) => ({
      ...deps,
      view: {
        ...deps.view,
        requestFacts: async (ids, at) => {
          const facts = await deps.view.requestFacts(ids, at)
          return new Map(
            [...facts].map(([id, fact]) => [
              id,
              fact === null ? null : { ...fact, request: { ...fact.request, uncancellableFrom: 0n } },
            ]),
          )
        },
        request: async (id, at) => {
          const request = await deps.view.request(id, at)
          return request === null ? null : { ...request, uncancellableFrom: 0n }
        },
      },
    }),
  },
  {
    name: "access control is not asked",
    breaks: ["certificate"],
    wrap: (deps) => ({
      ...deps,
      view: {
        ...deps.view,
        isAllowedForDecryption: async () => true,
        requestFacts: async (ids, at) => {
          const facts = await deps.view.requestFacts(ids, at)
          return new Map(
            [...facts].map(([id, fact]) => [
              id,
              fact === null
                ? null
                : { ...fact, handles: fact.handles.map((h) => ({ ...h, allowedForDecryption: true })) },
            ]),
          )
        },
      },
    }),
  },
  {
    name: "the first shares are believed, whatever the others say",
    breaks: ["plaintext", "liveness", "culprits"],
    wrap: (deps) => ({ ...deps, openingKernel: gullible }),
  },
  {
    name: "a smaller quorum and a lower degree are enough",
    breaks: ["approvals", "plaintext"],
    wrap: (deps) => {
      const { committee } = deps.seat
      return { ...deps, seat: { ...deps.seat, committee: { ...committee, t: Math.max(1, committee.t - 1) } } }
    },
  },
]

export type Found = {
  readonly name: string
  /** First seed that found it, null: none did. */
  readonly seed: number | null
  readonly invariant: string | null
  readonly expected: boolean
}

/** Runs seeds with each defect until one fails. */
export async function findDefects(seeds: number, onFound: (found: Found) => void): Promise<readonly Found[]> {
  const { runSeed } = await import("./runSeed.ts")
  const all: Found[] = []
  for (const defect of DEFECTS) {
    let found: Found = { name: defect.name, seed: null, invariant: null, expected: false }
    for (let seed = 0; seed < seeds && found.seed === null; seed++) {
      const { failure } = await runSeed(seed, { planted: defect })
      if (failure === null) continue
      const { invariant } = failure
      found = { ...found, seed, invariant, expected: defect.breaks.some((one) => one === invariant) }
    }
    onFound(found)
    all.push(found)
  }
  return all
}
