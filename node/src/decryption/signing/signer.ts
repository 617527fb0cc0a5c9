/**
 * A signer's answer to an aggregator (rule B′ of signing.md): its signature share for exactly one list and batch, or a
 * refusal. The conditions make the bitmap in the signed message mean what the contract reads into it.
 */
import { quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { SignatureShare, SigningRequest, Unsigned } from "@twinlock/sdk/protocol/messages"
import type { CurveKernel } from "@twinlock/sdk/threshold/curve"
import type { FrostKeyShare, PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import { createSignatureShare } from "@twinlock/sdk/threshold/frostSign"
import { decryptionError } from "../errors.ts"
import { type KeySeat, signAs } from "../seat.ts"
import type { Standing } from "../standing.ts"
import { type Batch, batchDigest } from "./batch.ts"
import type { CommitmentBook } from "./commitmentBook.ts"
import type { NoncePool } from "./noncePool.ts"

export type SignerDeps = {
  readonly seat: KeySeat
  readonly keyShare: FrostKeyShare
  readonly publicKey: PublicKeyPackage
  readonly pool: NoncePool
  readonly book: CommitmentBook
  /** At a fresh agreed block. */
  readonly standing: Standing
  /** A faster kernel for the public part of a share. */
  readonly curve?: CurveKernel | undefined
  readonly options: { readonly livenessMarginSeconds: number }
}

/**
 * 1. the root is that of this node's own results
 * 2. at least a quorum is listed, and this node with a pair of its own that was never used
 * 3. every other commitment came under its party's seat signature; the aggregator's comes with the request that it signed
 * 4. every listed party is live on chain, with a margin
 *
 * The nonces are taken after all that, and before anything is computed: a refusal costs none, an answer always does.
 * @param batch of this node's own results, in the order of the request
 * @throws SIGNING_REFUSED, COMMITMENT_USED, FROST_FORM, ChainErrorCode
 */
export async function answerSigningRequest(
  request: SigningRequest,
  batch: Batch,
  deps: SignerDeps,
): Promise<SignatureShare> {
  const { seat, keyShare, publicKey, pool, book, standing, curve, options } = deps
  const refuse = (why: string) =>
    decryptionError("SIGNING_REFUSED", `${why}, asked by party ${request.party}`)
  if (batch.root !== request.root) throw refuse(`the root is ${request.root}, own results have ${batch.root}`)
  const parties = request.signers.map(({ party }) => party)
  const own = request.signers.find(({ party }) => party === seat.self)
  if (own === undefined || parties.length < quorum(seat.committee))
    throw refuse(`signers ${parties.join(", ")} are no quorum with party ${seat.self}`)
  for (const { party, commitment } of request.signers)
    if (party !== seat.self && party !== request.party && !book.has(party, commitment))
      throw refuse(`the commitment of party ${party} was not signed by its seat`)
  const live = await standing(parties, options.livenessMarginSeconds)
  const fallen = parties.find((party) => !live.has(party))
  if (fallen !== undefined) throw refuse(`party ${fallen} (${signerOf(seat.committee, fallen)}) is not live`)
  const nonces = pool.take(own.commitment)
  if (nonces === null)
    throw decryptionError(
      "COMMITMENT_USED",
      `the own commitment in the list of party ${request.party} was used or never made`,
    )
  const share = createSignatureShare(
    { publicKey, list: request.signers, message: batchDigest(seat, batch, parties) },
    keyShare,
    nonces,
    curve,
  )
  const digest = messageDigest(request as Unsigned<SigningRequest>, seat.signing)
  return signAs<SignatureShare>(seat, {
    kind: "signature-share",
    request: digest,
    share,
    commitments: [pool.fresh()],
  })
}
