/**
 * Defects that the simulation must find: each changes what one part of a node is given, never the node's code. Whoever
 * adds an invariant adds the defect that breaks it.
 */

import { randomBytes } from "node:crypto"
import { FROST_SHARE_KIND, KEY_SHARE_KIND } from "@twinlock/node/ceremony/shareVault"
import { STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import type { Invariant } from "./failure.ts"
import { eager, forgetful, gullible, hasty, mute, seeing } from "./plantedParts.ts"
import { createRandom } from "./random.ts"
import type { Planted } from "./world.ts"

export type Defect = Planted & {
  /** What it may break first. */
  readonly breaks: readonly Invariant[]
}

const NEVER_MS = 2 ** 40

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
      view: seeing(deps.view, ({ request, handles }) => ({
        request: { ...request, uncancellableFrom: 0n },
        handles,
      })),
    }),
  },
  {
    name: "access control is not asked",
    breaks: ["certificate"],
    wrap: (deps) => ({
      ...deps,
      view: {
        ...seeing(deps.view, ({ request, handles }) => ({
          request,
          handles: handles.map((handle) => ({ ...handle, allowedForDecryption: true })),
        })),
        isAllowedForDecryption: async () => true,
      },
    }),
  },
  {
    name: "nobody looks at what a requester demands",
    breaks: ["certificate"],
    wrap: (deps) => ({
      ...deps,
      view: seeing(deps.view, ({ request, handles }) => ({
        request: { ...request, policy: STANDING_POLICY },
        handles,
      })),
    }),
  },
  {
    name: "the enclave quotes for something else",
    breaks: ["certificate"],
    wrap: ({ quotes, ...deps }) => ({
      ...deps,
      quotes: quotes && { ...quotes, quoteOver: (reportData) => quotes.quoteOver(reportData.toReversed()) },
    }),
  },
  {
    name: "quotes of others are believed",
    breaks: ["certificate"],
    wrap: (deps) => ({
      ...deps,
      quotes: deps.quotes && { ...deps.quotes, holds: async () => true },
    }),
  },
  {
    name: "what is settled is never forgotten",
    breaks: ["bounded"],
    wrap: (deps) => ({
      ...deps,
      view: {
        ...deps.view,
        requestStatuses: async (ids, at) => {
          const statuses = await deps.view.requestStatuses(ids, at)
          return new Map([...statuses].map(([id, one]) => [id, one && { ...one, status: "open" as const }]))
        },
      },
    }),
  },
  {
    name: "timers run a thousand times too fast",
    breaks: ["settles", "bounded"],
    wrap: (deps) => ({
      ...deps,
      scheduler: { after: (ms, task) => deps.scheduler.after(ms / 1000, task) },
    }),
  },
  {
    name: "nobody looks whether a delivery failed",
    breaks: ["unhandled"],
    wrap: (deps) => ({
      ...deps,
      async deliver(certified) {
        void deps.deliver(certified)
      },
    }),
  },
  {
    name: "a node reads the clock of its machine",
    breaks: ["deterministic"],
    wrap: (deps) => ({ ...deps, clock: { now: () => Date.now() } }),
  },
  {
    name: "a node draws from its machine",
    breaks: ["deterministic"],
    wrap: (deps) => ({ ...deps, rng: (length) => new Uint8Array(randomBytes(length)) }),
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
