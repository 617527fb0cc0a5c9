/** Parts of a node that are wrong in one way each. */
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

/** Records of one kind are lost with the process. */
export function forgetful(store: SealedStore, kinds: readonly string[]): SealedStore {
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
export const hasty = (store: SealedStore): SealedStore => ({
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
export function eager(deps: DecryptionDeps): DecryptionDeps {
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
export const gullible: OpeningKernel = ({ t, blocks }) => {
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
export function mute(deps: DecryptionDeps): DecryptionDeps {
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

type View = DecryptionDeps["view"]
type Facts =
  Awaited<ReturnType<View["requestFacts"]>> extends ReadonlyMap<unknown, infer F> ? NonNullable<F> : never

/** Every request as `change` has it. */
export const seeing = (view: View, change: (facts: Facts) => Facts): View => ({
  ...view,
  requestFacts: async (ids, at) => {
    const facts = await view.requestFacts(ids, at)
    return new Map([...facts].map(([id, fact]) => [id, fact === null ? null : change(fact)]))
  },
  request: async (id, at) => {
    const request = await view.request(id, at)
    return request === null ? null : change({ request, handles: [] }).request
  },
})
