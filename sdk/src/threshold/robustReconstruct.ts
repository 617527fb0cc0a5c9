/**
 * Robust opening of masked shares in arrival order (protocol §3, the asynchronous rule): with more than 2t shares heard,
 * correct at most r = min(heard − (2t+1), t, ⌊(heard−t−1)/2⌋) errors per block and accept only if more than 2t of the
 * shares lie on the polynomial; otherwise wait for one more. At most t parties lie, so the value is the dealt one, whoever
 * comes first. Shares off the polynomial name culprits, also those that arrive after the opening.
 *
 * Inputs are masked shares of one session: public. The caller guarantees that each share is signed by its party; two
 * different shares of one party are evidence against it by themselves.
 */
import { assertCommitteeSize } from "../protocol/committee.ts"
import { ProtocolError } from "../protocol/errors.ts"
import { MAX_BLOCKS, SHARE_BYTES_PER_BLOCK } from "../protocol/fheType.ts"
import { type PartyIndex, parsePartyIndex } from "../protocol/ids.ts"
import { correctErrors, offPolynomial } from "./errorCorrection.ts"
import { alpha, decode, equal, type RingElement } from "./galoisRing.ts"
import { lagrangeAt, type RingShare, weigh } from "./shamir.ts"

export type OpeningErrorCode =
  /** no block at all, or more than the widest type has. */
  | "OPENING_SIZE"
  /** a share of another length; names its sender. */
  | "OPENING_SHARE_LENGTH"

export type OpeningState =
  | {
      readonly status: "waiting"
      /** Parties heard so far. */
      readonly heard: number
      /** Parties that sent two different shares. */
      readonly culprits: readonly PartyIndex[]
    }
  | {
      readonly status: "opened"
      /** One ring element per block; see plaintext.ts for what a value must look like. */
      readonly values: readonly RingElement[]
      /** Parties proven to have lied, ascending. */
      readonly culprits: readonly PartyIndex[]
    }

/** One opening of one session. */
export type Opening = {
  readonly state: OpeningState
  /**
   * Takes a party's share: 64 bytes per block. A repeat changes nothing; a second, different one names its sender.
   * @throws BAD_PARTY_INDEX, OPENING_SHARE_LENGTH (naming the sender)
   */
  add(party: PartyIndex, share: Uint8Array): OpeningState
}

/** @param size n and t of the committee; `blocks` of the ciphertext. @throws COMMITTEE_SIZE, OPENING_SIZE */
export function createOpening(size: {
  readonly n: number
  readonly t: number
  readonly blocks: number
}): Opening {
  const { n, t, blocks } = size
  assertCommitteeSize(n, t)
  if (!Number.isInteger(blocks) || blocks < 1 || blocks > MAX_BLOCKS)
    throw new ProtocolError({ code: "OPENING_SIZE", message: `want 1..${MAX_BLOCKS} blocks, got ${blocks}` })
  const heard = new Map<PartyIndex, readonly RingElement[]>()
  const culprits = new Set<PartyIndex>()
  const predict = createPrediction()
  let opened: Opened | null = null

  const named = () => [...culprits].sort((a, b) => a - b)
  const state = (): OpeningState =>
    opened === null
      ? { status: "waiting", heard: heard.size, culprits: named() }
      : { status: "opened", values: opened.values, culprits: named() }

  return {
    get state() {
      return state()
    },
    add(sender, share) {
      const party = parsePartyIndex(sender, n)
      const elements = decodeShare(party, share, blocks)
      const earlier = heard.get(party)
      if (earlier !== undefined) {
        if (earlier.some((value, k) => !equal(value, elements[k] ?? value))) culprits.add(party)
        return state()
      }
      heard.set(party, elements)
      if (opened === null) {
        opened = tryOpening(heard, t, blocks, predict)
        for (const liar of opened?.liars ?? []) culprits.add(liar)
      } else {
        const { base } = opened
        if (elements.some((value, k) => !equal(predict(blockShares(heard, base, k), party), value)))
          culprits.add(party)
      }
      return state()
    },
  }
}

type Heard = ReadonlyMap<PartyIndex, readonly RingElement[]>
/** `base`: t+1 parties whose shares fix every block's polynomial. */
type Opened = {
  readonly base: readonly PartyIndex[]
  readonly values: readonly RingElement[]
  readonly liars: ReadonlySet<PartyIndex>
}
/** Value at a party (0: the secret) of the polynomial through the base's shares. */
type Prediction = (base: readonly RingShare[], at: PartyIndex | 0) => RingElement

/** Interpolation that keeps the Lagrange coefficients, which are the same for all blocks. */
function createPrediction(): Prediction {
  const known = new Map<string, readonly RingElement[]>()
  return (base, at) => {
    const parties = base.map(({ party }) => party)
    const name = `${parties.join()}:${at}`
    const lambdas = known.get(name) ?? lagrangeAt(parties, alpha(at))
    known.set(name, lambdas)
    return weigh(
      lambdas,
      base.map(({ value }) => value),
    )
  }
}

const blockShares = (heard: Heard, parties: Iterable<PartyIndex>, block: number): readonly RingShare[] =>
  [...parties].flatMap((party) => {
    const value = heard.get(party)?.[block]
    return value === undefined ? [] : [{ party, value }]
  })

/** Errors that may be corrected among `heard` shares; negative where it is too early. */
const errorBudget = (heard: number, t: number): number =>
  Math.min(heard - (2 * t + 1), t, Math.floor((heard - t - 1) / 2))

/** The opening, or null while a block cannot be decided. More than t liars in all decide nothing. */
function tryOpening(heard: Heard, t: number, blocks: number, predict: Prediction): Opened | null {
  const budget = errorBudget(heard.size, t)
  if (budget < 0) return null
  const liars = new Set<PartyIndex>()
  for (let block = 0; block < blocks; block++) {
    const shares = blockShares(heard, heard.keys(), block)
    const off = liarsByGuess(shares, t, budget, liars, predict) ?? liarsByCorrection(shares, t, budget)
    if (off === null) return null
    for (const party of off) liars.add(party)
  }
  if (liars.size > t) return null
  const base = [...heard.keys()].filter((party) => !liars.has(party)).slice(0, t + 1)
  const values = Array.from({ length: blocks }, (_, k) => predict(blockShares(heard, base, k), 0))
  return { base, values, liars }
}

/**
 * Fast path: t+1 shares of parties not yet caught fix a polynomial. If at most `budget` shares are off it, it is the one
 * that error correction would find, since two such polynomials would agree on more than t points.
 */
function liarsByGuess(
  shares: readonly RingShare[],
  t: number,
  budget: number,
  caught: ReadonlySet<PartyIndex>,
  predict: Prediction,
): readonly PartyIndex[] | null {
  const base = shares.filter(({ party }) => !caught.has(party)).slice(0, t + 1)
  if (base.length <= t) return null
  const off = shares.filter(({ party, value }) => !equal(predict(base, party), value))
  return off.length <= budget ? off.map(({ party }) => party) : null
}

function liarsByCorrection(
  shares: readonly RingShare[],
  t: number,
  budget: number,
): readonly PartyIndex[] | null {
  const coefficients = correctErrors(shares, t, budget)
  if (coefficients === null) return null
  const off = offPolynomial(shares, coefficients)
  return shares.length - off.length > 2 * t ? off : null
}

function decodeShare(party: PartyIndex, share: Uint8Array, blocks: number): readonly RingElement[] {
  if (share.length !== blocks * SHARE_BYTES_PER_BLOCK)
    throw new ProtocolError({
      code: "OPENING_SHARE_LENGTH",
      message: `a share of ${blocks} blocks has ${blocks * SHARE_BYTES_PER_BLOCK} bytes, party ${party} sent ${share.length}`,
      culprits: [party],
    })
  return Array.from({ length: blocks }, (_, k) => decode(share, k))
}
