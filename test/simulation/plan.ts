/** What one seed means: committee, requests, who is faulty and how, and how rough it gets before everything heals. */
import { type AcceptancePolicy, STANDING_POLICY } from "@twinlock/sdk/protocol/certificate"
import { createRandom, type Random } from "./random.ts"

/**
 * Faults that a party keeps until the end; at most t parties have one.
 * down: crashed for good. cut: no link works. slow: long delays and pauses. looping: restarts every few seconds.
 * liar: what it says is wrong, as `lies` says. lapsed: its registration ran out or was revoked.
 */
export const FAULTS = ["down", "cut", "slow", "looping", "liar", "lapsed"] as const
export type Fault = (typeof FAULTS)[number]

/**
 * What a liar lies about, each now and then. shares: of keys. signature-shares, endorsements, announcements: what it signs.
 * quotes: made up. approvals: it approves what the chain does not allow, and sessions that are not the subject's.
 */
export const LIES = [
  "shares",
  "signature-shares",
  "endorsements",
  "announcements",
  "quotes",
  "approvals",
] as const
export type Lie = (typeof LIES)[number]

export type RequestPlan = {
  /** Milliseconds since the start of the traffic. */
  readonly at: number
  /** Handles by number; the same number is the same handle. */
  readonly handles: readonly number[]
  /** Seconds in which the requester can cancel, and whether it does. */
  readonly cancelWindow: number
  readonly cancels: boolean
  /** Seconds until the deadline. */
  readonly deadline: number
  readonly policy: AcceptancePolicy
}

export type HandlePlan = {
  readonly allowed: boolean
  /** Milliseconds after which its commitment is final; null: never. */
  readonly finalAfter: number | null
  /** Executors later anchor other words under the same handle. */
  readonly replaced: boolean
}

export type UserPlan = { readonly at: number; readonly handles: readonly number[] }

export type Plan = {
  readonly seed: number
  readonly n: number
  readonly t: number
  /** The key comes out of a ceremony in the run, else it was dealt before. */
  readonly ceremony: boolean
  /** Real curve arithmetic. */
  readonly realCrypto: boolean
  readonly faulty: ReadonlyMap<number, Fault>
  /** By liar. */
  readonly lies: ReadonlyMap<number, readonly Lie[]>
  /** No signature share arrives anywhere until the run heals: only endorsements can stand in for the group. */
  readonly unsigned: boolean
  readonly handles: readonly HandlePlan[]
  readonly requests: readonly RequestPlan[]
  readonly users: readonly UserPlan[]
  /** 0: nothing goes wrong but for the faulty; 1: as rough as it gets. */
  readonly roughness: number
  /** Milliseconds since the start of the traffic; from then on only the faulty are at fault. */
  readonly healAt: number
  readonly blockMs: number
  readonly finality: number
  readonly pollMs: number
  /** Blocks that each node may still release, null: as many as the protocol says. */
  readonly budgetLeft: number | null
}

/** n, t and how many seeds of a hundred have them: large committees cost as much as many small ones. */
const SIZES: readonly (readonly [n: number, t: number, share: number])[] = [
  [4, 1, 66],
  [5, 1, 21],
  [7, 2, 11],
  [10, 3, 1],
  [13, 4, 1],
]
const REAL_EVERY = 97
/** Longer than endorsements wait for the group's signature. */
const UNSIGNED_MS = 13_000
const DAY = 86_400

function planHandle(random: Random): HandlePlan {
  return {
    allowed: !random.chance(0.08),
    finalAfter: random.chance(0.04) ? null : random.chance(0.7) ? 0 : random.between(500, 12_000),
    replaced: random.chance(0.07),
  }
}

function planSize(random: Random): readonly [n: number, t: number] {
  let left = random.below(100)
  for (const [n, t, share] of SIZES) {
    if (left < share) return [n, t]
    left -= share
  }
  return [4, 1]
}

/** Mostly what n − t seats can meet; now and then more, which nobody has to. */
function planPolicy(random: Random, { n, t }: Size): AcceptancePolicy {
  if (random.chance(0.6)) return STANDING_POLICY
  const most = random.chance(0.1) ? n : n - t
  const some = (): number => (random.chance(0.5) ? random.between(1, most) : 0)
  return { endorsements: some(), freshQuotes: some(), groupOnly: random.chance(0.5) }
}

type Size = { readonly n: number; readonly t: number }

function planRequest(random: Random, size: Size, handles: number, span: number): RequestPlan {
  const cancelWindow = random.chance(0.5) ? 0 : random.between(1, 6)
  const numbers = Array.from({ length: handles }, (_, at) => at)
  return {
    at: random.below(span),
    handles: random.sample(numbers, random.chance(0.7) ? 1 : random.between(2, 3)),
    cancelWindow,
    cancels: cancelWindow > 0 && random.chance(0.2),
    deadline: random.chance(0.05) ? random.between(4, 30) : DAY,
    policy: planPolicy(random, size),
  }
}

export function planOf(seed: number): Plan {
  const random = createRandom(`${seed}/plan`)
  const realCrypto = seed % REAL_EVERY === REAL_EVERY - 1
  const ceremony = !realCrypto && random.chance(0.1)
  const [n, t] = ceremony || realCrypto ? ([4, 1] as const) : planSize(random)
  const parties = Array.from({ length: n }, (_, at) => at + 1)
  const faults = random.chance(0.25) ? 0 : random.between(1, t)
  const kinds = ceremony ? (["slow"] as const) : FAULTS
  const faulty = new Map(random.sample(parties, faults).map((party) => [party, random.pick<Fault>(kinds)]))
  const liars = [...faulty].flatMap(([party, fault]) => (fault === "liar" ? [party] : []))
  const lies = new Map(liars.map((party) => [party, random.sample(LIES, random.between(1, LIES.length))]))
  const roughness = random.chance(0.15) ? 0 : random.below(1001) / 1000
  const unsigned = !ceremony && random.chance(0.06)
  const span = random.between(3_000, 25_000)
  const healAt = span + (unsigned ? UNSIGNED_MS : 0)
  const handles = Array.from({ length: random.between(1, realCrypto ? 1 : 5) }, () => planHandle(random))
  const requests = Array.from({ length: random.between(1, realCrypto ? 1 : 5) }, () =>
    planRequest(random, { n, t }, handles.length, span),
  )
  // Many at once: what shares a block shares a signature.
  if (!realCrypto && random.chance(0.06)) {
    const at = random.below(span)
    const burst = Array.from({ length: random.between(4, 12) }, () =>
      planRequest(random, { n, t }, handles.length, span),
    )
    requests.push(...burst.map((request) => ({ ...request, at })))
  }
  // Asked for before and after it stands for other words.
  for (const [number, { replaced, allowed }] of handles.entries())
    if (replaced && allowed)
      for (const at of [0, 0.7 * healAt])
        requests.push({
          ...{ at, handles: [number], cancelWindow: 0, cancels: false, deadline: DAY },
          policy: STANDING_POLICY,
        })
  const users = Array.from({ length: random.chance(0.3) ? 1 : 0 }, () => ({
    at: random.below(healAt),
    handles: [random.below(handles.length)],
  }))
  return {
    ...{
      seed,
      n,
      t,
      ceremony,
      realCrypto,
      faulty,
      lies,
      handles,
      requests,
      users,
      roughness,
      healAt,
      unsigned,
    },
    blockMs: random.between(500, 2000),
    finality: random.below(3),
    pollMs: random.pick([200, 500, 1000]),
    budgetLeft: !ceremony && random.chance(0.03) ? random.between(0, 3) : null,
  }
}
