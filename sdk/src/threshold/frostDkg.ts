/**
 * Distributed generation of an epoch's signing key (protocol §6; signing.md §1, §6): Pedersen sharing with proofs of
 * possession, an echo of all broadcasts before any share is made, and a combination over the qualified dealers, so that one
 * silent or lying party cannot veto the key.
 *
 *   startDkg        everybody broadcasts its dealing
 *   agreeOnDealers  after a signed exchange of echoDigest: no dealer showed different faces
 *   makeShares      one private share per party, sealed and signed by the caller
 *   badDealers      whose share is missing or off its commitments
 *   finishDkg       combines over the qualified dealers, at least a quorum
 *
 * Secret inputs: the dealer's polynomial and the private shares. The caller guarantees authentic broadcasts and echoes,
 * private shares, and that all parties finish with the same qualified dealers.
 */
import { bytesToNumberBE } from "@noble/curves/utils.js"
import { abiEncode, concatBytes, fromHex, keccak, Reader, tagHash } from "../protocol/codec.ts"
import { agreement, MAX_PARTIES } from "../protocol/committee.ts"
import { ProtocolError } from "../protocol/errors.ts"
import { type Digest, type PartyIndex, parsePartyIndex } from "../protocol/ids.ts"
import type { Rng } from "../protocol/rng.ts"
import { type CurvePoint, Fn, POINT_BYTES, Point, parsePoint, SCALAR_BYTES, scalarOf } from "./curve.ts"
import {
  evaluateInExponent,
  FrostKeyShare,
  frostSuite,
  groupKey,
  identifierOf,
  type PublicKeyPackage,
  possessionChallenge,
} from "./frost.ts"

export type DkgErrorCode =
  /** n, quorum or the list of dealers outside its form. */
  | "DKG_FORM"
  /** a broadcast that is not `quorum` points and a proof; names its sender. */
  | "DKG_BROADCAST"
  /** a proof of possession that does not verify in this session; names its sender. */
  | "DKG_POSSESSION"
  /** fewer than an agreement of parties saw the same broadcasts: some dealer or network equivocated. */
  | "DKG_ECHO"
  /** a qualified dealer's share is missing or off its commitments; names the dealers. */
  | "DKG_SHARE"

const bad = (code: DkgErrorCode, message: string, culprits: readonly PartyIndex[] = []): ProtocolError =>
  new ProtocolError({ code, message, culprits })

/** One key generation. `session` must be unique to it: ceremony, attempt and epoch hashed. */
export type DkgSession = { readonly session: Digest; readonly n: number; readonly quorum: number }

/** A dealer's public part. */
export type DkgBroadcast = {
  readonly party: PartyIndex
  /** `quorum` compressed points. */
  readonly commitments: readonly Uint8Array[]
  /** 65 bytes R ‖ μ. */
  readonly possession: Uint8Array
}

const PROOF_BYTES = POINT_BYTES + SCALAR_BYTES

function assertSession({ n, quorum }: DkgSession): void {
  if (!(Number.isInteger(n) && Number.isInteger(quorum) && quorum >= 2 && quorum <= n && n <= MAX_PARTIES))
    throw bad("DKG_FORM", `want 2 <= quorum <= n <= ${MAX_PARTIES}, got quorum ${quorum} n ${n}`)
}

/** A dealer's secret polynomial. **Security:** lives in memory until the key is finished; redacted in JSON. */
export class DkgDealing {
  readonly broadcast: DkgBroadcast
  readonly #coefficients: bigint[]

  constructor(broadcast: DkgBroadcast, coefficients: readonly bigint[]) {
    this.broadcast = broadcast
    this.#coefficients = [...coefficients]
  }

  /** f(party), 32 bytes. **Security:** for that party alone. */
  shareFor(party: PartyIndex): Uint8Array {
    const x = BigInt(party)
    return Fn.toBytes(this.#coefficients.reduceRight((sum, c) => Fn.add(Fn.mul(sum, x), c), 0n))
  }

  wipe(): void {
    this.#coefficients.fill(0n)
  }

  toJSON(): string {
    return "[DkgDealing]"
  }
}

/** Round 1: this party's dealing. */
export function startDkg(session: DkgSession, party: PartyIndex, rng: Rng): DkgDealing {
  assertSession(session)
  const signers = { min: session.quorum, max: session.n }
  const random = (length = 32) => rng(length) as Uint8Array<ArrayBuffer>
  const round1 = frostSuite(session.session).DKG.round1(identifierOf(party), signers, undefined, random)
  const { commitment, proofOfKnowledge } = round1.public
  return new DkgDealing(
    { party, commitments: commitment, possession: proofOfKnowledge },
    round1.secret.coefficients ?? [],
  )
}

/** commitments ‖ proof; the sender and the quorum are known to the reader. */
export const encodeDkgBroadcast = (broadcast: DkgBroadcast): Uint8Array =>
  concatBytes(...broadcast.commitments, broadcast.possession)

/** @throws DKG_BROADCAST naming the sender. */
export function decodeDkgBroadcast(session: DkgSession, party: PartyIndex, bytes: Uint8Array): DkgBroadcast {
  assertSession(session)
  const { quorum } = session
  if (bytes.length !== quorum * POINT_BYTES + PROOF_BYTES)
    throw bad("DKG_BROADCAST", `a broadcast has ${quorum} points and a proof, got ${bytes.length} bytes`, [
      party,
    ])
  const reader = new Reader(bytes)
  const commitments = Array.from({ length: quorum }, () => reader.take(POINT_BYTES))
  return { party, commitments, possession: reader.take(PROOF_BYTES) }
}

/** Points and proof of possession of one broadcast. @throws DKG_BROADCAST, DKG_POSSESSION naming the sender. */
function checkBroadcast(session: DkgSession, broadcast: DkgBroadcast): readonly CurvePoint[] {
  const { party, commitments, possession } = broadcast
  const points = commitments.map(parsePoint).flatMap((point) => (point === null ? [] : [point]))
  const [constant] = points
  const R = parsePoint(possession.subarray(0, POINT_BYTES))
  const mu = scalarOf(possession.subarray(POINT_BYTES))
  if (points.length !== session.quorum || commitments.length !== session.quorum || constant === undefined)
    throw bad("DKG_BROADCAST", `a broadcast has ${session.quorum} points`, [party])
  const c = possessionChallenge(
    session.session,
    party,
    constant.toBytes(),
    possession.subarray(0, POINT_BYTES),
  )
  const holds =
    R !== null && mu !== null && Point.BASE.multiplyUnsafe(mu).equals(constant.multiplyUnsafe(c).add(R))
  if (!holds) throw bad("DKG_POSSESSION", "the proof of possession does not verify in this session", [party])
  return points
}

const ascending = (broadcasts: readonly DkgBroadcast[]): readonly DkgBroadcast[] =>
  [...broadcasts].sort((a, b) => a.party - b.party)

/** What a party signs after round 1: session, sizes and all broadcasts that it saw, by party. */
export function echoDigest(session: DkgSession, broadcasts: readonly DkgBroadcast[]): Digest {
  const seen = ascending(broadcasts).map((broadcast) =>
    concatBytes(
      abiEncode(broadcast.party, broadcast.commitments.length),
      fromHex(keccak(encodeDkgBroadcast(broadcast))),
    ),
  )
  const { n, quorum } = session
  return keccak(concatBytes(abiEncode(tagHash("twinlock/dkg-echo/v1"), session.session, n, quorum), ...seen))
}

/** Dealers whose broadcasts an agreement of parties saw alike; made by {@link agreeOnDealers} only. */
export type AgreedDealers = {
  readonly session: DkgSession
  readonly broadcasts: readonly DkgBroadcast[]
  /** Parsed commitments by dealer. */
  readonly commitments: ReadonlyMap<PartyIndex, readonly CurvePoint[]>
}

/**
 * Round 2, before any share is made: checks every proof, and that an agreement of parties echoed what this party saw. Two
 * agreements share an honest party, so no two parties can go on with different broadcasts.
 * @param echoes signed by their senders, the own one included.
 * @throws DKG_FORM, DKG_BROADCAST, DKG_POSSESSION, DKG_ECHO
 */
export function agreeOnDealers(
  session: DkgSession,
  broadcasts: readonly DkgBroadcast[],
  echoes: ReadonlyMap<PartyIndex, Digest>,
): AgreedDealers {
  assertSession(session)
  const { n, quorum } = session
  const dealers = broadcasts.map(({ party }) => parsePartyIndex(party, n))
  if (new Set(dealers).size !== dealers.length || dealers.length < quorum)
    throw bad("DKG_FORM", `want at least ${quorum} distinct dealers, got ${dealers.join(", ")}`)
  const commitments = new Map(broadcasts.map((b) => [b.party, checkBroadcast(session, b)] as const))
  const own = echoDigest(session, broadcasts)
  const same = [...echoes].filter(([party, echo]) => party >= 1 && party <= n && echo === own).length
  const needed = agreement({ n, t: Math.floor((quorum - 1) / 2) })
  if (same < needed) throw bad("DKG_ECHO", `want ${needed} parties that saw the same broadcasts, got ${same}`)
  return { session, broadcasts: ascending(broadcasts), commitments }
}

/** Round 2: the share for every party of 1..n. @throws DKG_FORM where this dealing is not among the agreed ones. */
export function makeShares(agreed: AgreedDealers, dealing: DkgDealing): ReadonlyMap<PartyIndex, Uint8Array> {
  const { party } = dealing.broadcast
  const own = agreed.broadcasts.find((broadcast) => broadcast.party === party)
  const isOwn =
    own !== undefined && keccak(encodeDkgBroadcast(own)) === keccak(encodeDkgBroadcast(dealing.broadcast))
  if (!isOwn) throw bad("DKG_FORM", `the dealing of party ${party} is not among the agreed ones`)
  const { n } = agreed.session
  return new Map(
    Array.from({ length: n }, (_, i) => parsePartyIndex(i + 1, n)).map((to) => [to, dealing.shareFor(to)]),
  )
}

/** True where `share` is what the dealer's commitments say about `party`: share·G = Σ commitments[k]·party^k. */
export function checkShare(
  agreed: AgreedDealers,
  dealer: PartyIndex,
  party: PartyIndex,
  share: Uint8Array | undefined,
): boolean {
  const commitments = agreed.commitments.get(dealer)
  const value = share === undefined ? null : scalarOf(share)
  if (commitments === undefined || value === null) return false
  const committed = evaluateInExponent(commitments, party)
  return value === 0n ? committed.is0() : Point.BASE.multiply(value).equals(committed)
}

/** Agreed dealers whose share to `party` is missing or wrong. */
export const badDealers = (
  agreed: AgreedDealers,
  party: PartyIndex,
  shares: ReadonlyMap<PartyIndex, Uint8Array>,
): readonly PartyIndex[] =>
  agreed.broadcasts
    .map((broadcast) => broadcast.party)
    .filter((dealer) => !checkShare(agreed, dealer, party, shares.get(dealer)))

/**
 * The group's public package, which follows from the broadcasts of the qualified dealers alone.
 * @throws DKG_FORM where the joint polynomial is degenerate, FROST_GROUP_KEY
 */
export function jointPackage(
  { session: { n, quorum }, commitments, broadcasts }: AgreedDealers,
  qualified: readonly PartyIndex[] = broadcasts.map((broadcast) => broadcast.party),
): PublicKeyPackage {
  const joint = Array.from({ length: quorum }, (_, k) =>
    qualified.reduce((sum, dealer) => sum.add(commitments.get(dealer)?.[k] ?? Point.ZERO), Point.ZERO),
  )
  const verification = Array.from({ length: n }, (_, i) =>
    evaluateInExponent(joint, parsePartyIndex(i + 1, n)),
  )
  if ([...joint, ...verification].some((point) => point.is0()))
    throw bad("DKG_FORM", "the joint polynomial is degenerate: run the key generation again")
  const publicKey = {
    n,
    quorum,
    commitments: joint.map((point) => point.toBytes()),
    verificationShares: verification.map((point) => point.toBytes()),
  }
  groupKey(publicKey)
  return publicKey
}

/**
 * Round 3: this party's key share and the group's public package.
 * @param shares by dealer, the own one included. @param qualified the same at all parties.
 * @throws DKG_FORM for fewer than a quorum of agreed dealers, DKG_SHARE, FROST_GROUP_KEY
 */
export function finishDkg(
  agreed: AgreedDealers,
  party: PartyIndex,
  shares: ReadonlyMap<PartyIndex, Uint8Array>,
  qualified: readonly PartyIndex[] = agreed.broadcasts.map((broadcast) => broadcast.party),
): { readonly keyShare: FrostKeyShare; readonly publicKey: PublicKeyPackage } {
  const { quorum } = agreed.session
  const known = qualified.every((dealer) => agreed.commitments.has(dealer))
  if (!known || new Set(qualified).size !== qualified.length || qualified.length < quorum)
    throw bad("DKG_FORM", `want at least ${quorum} agreed dealers, got ${qualified.join(", ")}`)
  const wrong = badDealers(agreed, party, shares).filter((dealer) => qualified.includes(dealer))
  if (wrong.length > 0) throw bad("DKG_SHARE", "shares are missing or off their dealers' commitments", wrong)
  const publicKey = jointPackage(agreed, qualified)
  const signingShare = qualified.reduce(
    (sum, dealer) => Fn.add(sum, bytesToNumberBE(shares.get(dealer) ?? new Uint8Array())),
    0n,
  )
  return { keyShare: new FrostKeyShare(party, Fn.toBytes(signingShare)), publicKey }
}
