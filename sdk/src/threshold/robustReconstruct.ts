/**
 * Robust opening of masked shares in arrival order (protocol §3, the asynchronous rule): with more than 2t shares heard,
 * correct at most r = min(heard − (2t+1), t, ⌊(heard−t−1)/2⌋) errors per block and accept only if more than 2t of the
 * shares lie on the polynomial; otherwise wait for one more. At most t parties lie, so the value is the dealt one, whoever
 * comes first. Shares off the polynomial name culprits, also those that arrive after the opening.
 *
 * What one sender can cost: its first share is decoded once (./blockOpening.ts states the work); every further one is
 * compared byte by byte; the first that differs is kept as evidence, and after that no more are looked at. An opening
 * holds at most two shares per party.
 *
 * Inputs are masked shares of one session: public, so branches and times may depend on them. The caller guarantees that
 * each share is signed by its party; two different shares of one party are evidence against it by themselves.
 */
import { assertCommitteeSize } from "../protocol/committee.ts"
import { ProtocolError } from "../protocol/errors.ts"
import { MAX_BLOCKS, SHARE_BYTES_PER_BLOCK } from "../protocol/fheType.ts"
import { type PartyIndex, parsePartyIndex } from "../protocol/ids.ts"
import { bigintKernel } from "./bigintKernel.ts"
import { decode, type RingElement } from "./galoisRing.ts"
import type { OpeningKernel, OpeningSize } from "./openingKernel.ts"

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

/**
 * @param size n and t of the committee; `blocks` of the ciphertext
 * @param kernel what computes; the default needs no addon
 * @throws COMMITTEE_SIZE, OPENING_SIZE
 */
export function createOpening(size: OpeningSize, kernel: OpeningKernel = bigintKernel): Opening {
  const { n, t, blocks } = size
  assertCommitteeSize(n, t)
  if (!Number.isInteger(blocks) || blocks < 1 || blocks > MAX_BLOCKS)
    throw new ProtocolError({ code: "OPENING_SIZE", message: `want 1..${MAX_BLOCKS} blocks, got ${blocks}` })
  const run = kernel({ n, t, blocks })
  const shares = new Map<PartyIndex, Uint8Array>()
  /** Parties that sent two different shares. */
  const twoFaced = new Set<PartyIndex>()
  let values: readonly RingElement[] | null = null
  let liars: readonly PartyIndex[] = []
  let state: OpeningState = stateNow()

  function stateNow(): OpeningState {
    const culprits = [...new Set([...liars, ...twoFaced])].sort((a, b) => a - b)
    return values === null
      ? { status: "waiting", heard: shares.size, culprits }
      : { status: "opened", values, culprits }
  }

  function hear(party: PartyIndex, share: Uint8Array): void {
    const own = Uint8Array.from(share)
    shares.set(party, own)
    const named = run.add(party, own)
    if (named === null) return
    liars = named
    values ??= elementsOf(run.values(), blocks)
  }

  return {
    get state() {
      return state
    },
    add(sender, share) {
      const party = parsePartyIndex(sender, n)
      assertLength(party, share, blocks)
      const first = shares.get(party)
      if (first === undefined) hear(party, share)
      else if (twoFaced.has(party) || first.every((byte, i) => byte === share[i])) return state
      else twoFaced.add(party)
      state = stateNow()
      return state
    },
  }
}

const elementsOf = (bytes: Uint8Array, blocks: number): readonly RingElement[] =>
  Array.from({ length: blocks }, (_, k) => decode(bytes, k))

function assertLength(party: PartyIndex, share: Uint8Array, blocks: number): void {
  if (share.length !== blocks * SHARE_BYTES_PER_BLOCK)
    throw new ProtocolError({
      code: "OPENING_SHARE_LENGTH",
      message: `a share of ${blocks} blocks has ${blocks * SHARE_BYTES_PER_BLOCK} bytes, party ${party} sent ${share.length}`,
      culprits: [party],
    })
}
