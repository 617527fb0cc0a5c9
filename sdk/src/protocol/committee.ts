/**
 * Committee of one sharing (protocol §1): who holds which position, and the sizes that follow from n and t.
 * Public data. Words: n parties, t tolerated corruptions (the degree of every sharing), quorum 2t+1.
 */
import { ProtocolError } from "./errors.ts"
import { type Address, type Epoch, type KeyId, type PartyIndex, parsePartyIndex } from "./ids.ts"

export type CommitteeErrorCode = "COMMITTEE_SIZE" | "COMMITTEE_PARTIES" | "COMMITTEE_BITMAP"

/** Fixed set of parties of one sharing; `parties[index - 1]` is the seat signer of party `index`. */
export type Committee = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly n: number
  readonly t: number
  readonly parties: readonly Address[]
}

/** n at most 15 at ring degree 4; t+1 of the parties determine a value. */
export const MAX_PARTIES = 15
/** Below this number of PRSS subsets a share stays cheap to mask. */
const MAX_SUBSETS = 2048

/** C(n, k), exact for the sizes of a committee. */
export function binomial(n: number, k: number): number {
  let value = 1
  for (let i = 1; i <= k; i++) value = (value * (n - k + i)) / i
  return value
}

/** @throws COMMITTEE_SIZE unless 1 ≤ t, 3t+1 ≤ n ≤ 15 and C(n,t) < 2048 (protocol, words). */
export function assertCommitteeSize(n: number, t: number): void {
  const integers = Number.isInteger(n) && Number.isInteger(t)
  if (!integers || t < 1 || n < 3 * t + 1 || n > MAX_PARTIES || binomial(n, t) >= MAX_SUBSETS)
    throw new ProtocolError({
      code: "COMMITTEE_SIZE",
      message: `want 1 <= t, 3t+1 <= n <= ${MAX_PARTIES}, C(n,t) < ${MAX_SUBSETS}, got n=${n} t=${t}`,
    })
}

/**
 * A checked committee; n is the number of parties.
 * @throws COMMITTEE_SIZE, COMMITTEE_PARTIES where a signer is zero or holds two seats.
 */
export function createCommittee(fields: Omit<Committee, "n">): Committee {
  const { keyId, epoch, t, parties } = fields
  assertCommitteeSize(parties.length, t)
  if (new Set(parties).size !== parties.length || parties.some((party) => /^0x0+$/.test(party)))
    throw new ProtocolError({
      code: "COMMITTEE_PARTIES",
      message: `seat signers must be distinct and not zero: ${parties.join(", ")}`,
    })
  return { keyId, epoch, n: parties.length, t, parties: [...parties] }
}

/** 2t+1: enough to accept an opened value, to approve, to sign. */
export const quorum = ({ t }: { readonly t: number }): number => 2 * t + 1

/** ⌈(n+t+1)/2⌉: two such groups share an honest party (agreed blocks, dealer sets, epoch change). */
export const agreement = ({ n, t }: { readonly n: number; readonly t: number }): number =>
  Math.ceil((n + t + 1) / 2)

/** All positions, 1..n. */
export const partyIndexes = ({ n }: { readonly n: number }): readonly PartyIndex[] =>
  Array.from({ length: n }, (_, i) => parsePartyIndex(i + 1, n))

/** Position of `signer`, or null where it holds no seat. */
export function partyOf(committee: Committee, signer: Address): PartyIndex | null {
  const at = committee.parties.indexOf(signer)
  return at < 0 ? null : parsePartyIndex(at + 1, committee.n)
}

/** Seat signer of `party`. @throws BAD_PARTY_INDEX */
export function signerOf(committee: Committee, party: PartyIndex): Address {
  const signer = committee.parties[parsePartyIndex(party, committee.n) - 1]
  if (signer === undefined)
    throw new ProtocolError({
      code: "COMMITTEE_PARTIES",
      message: `committee of ${committee.n} has no seat ${party}`,
    })
  return signer
}

/** Bitmap of a certificate: bit (index − 1) stands for party `index`. */
export const signersBitmap = (parties: readonly PartyIndex[]): bigint =>
  parties.reduce((bits, party) => bits | (1n << BigInt(party - 1)), 0n)

/** Parties of a bitmap, ascending. @throws COMMITTEE_BITMAP unless bitmap < 2^n. */
export function partiesOfBitmap(bitmap: bigint, n: number): readonly PartyIndex[] {
  if (bitmap < 0n || bitmap >> BigInt(n) !== 0n)
    throw new ProtocolError({
      code: "COMMITTEE_BITMAP",
      message: `signers must be below 2^${n}, got ${bitmap}`,
    })
  return partyIndexes({ n }).filter((party) => (bitmap >> BigInt(party - 1)) & 1n)
}
