/**
 * A signer's answer to an aggregator (rule B′ of signing.md): its signature share for exactly one list and batch, or a
 * refusal. The conditions make the bitmap in the signed message mean what the contract reads into it.
 */
import { quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import { messageDigest } from "@twinlock/sdk/protocol/messageSignature"
import type { SignatureShare, SigningRequest, Unsigned } from "@twinlock/sdk/protocol/messages"
import type { FrostKeyShare, PublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import { createSignatureShare } from "@twinlock/sdk/threshold/frostSign"
import { decryptionError } from "../errors.ts"
import { type KeySeat, signAs } from "../seat.ts"
import type { Standing } from "../standing.ts"
import { batchDigest, batchOf } from "./batch.ts"
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
  readonly options: { readonly livenessMarginSeconds: number }
}

/**
 * Results of a request's subjects, or null while this node has not opened them all.
 * @param resultOf this node's own result of a request, null while it is not open
 */
export function resultsOf(
  request: SigningRequest,
  resultOf: (request: RequestId) => DecryptionResult | null,
): readonly DecryptionResult[] | null {
  const results = request.subjects.flatMap((subject) => resultOf(subject) ?? [])
  return results.length === request.subjects.length ? results : null
}

/**
 * 1. the root is that of this node's own results
 * 2. at least a quorum is listed, and this node with a pair of its own that was never used
 * 3. every other commitment came under its party's seat signature; the aggregator's comes with the request that it signed
 * 4. every listed party is live on chain, with a margin
 * @throws SIGNING_REFUSED, COMMITMENT_USED, FROST_FORM, ChainErrorCode
 */
export async function answerSigningRequest(
  request: SigningRequest,
  results: readonly DecryptionResult[],
  deps: SignerDeps,
): Promise<SignatureShare> {
  const { seat, keyShare, publicKey, pool, book, standing, options } = deps
  const batch = batchOf(results)
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
  )
  const digest = messageDigest(request as Unsigned<SigningRequest>, seat.signing)
  return signAs<SignatureShare>(seat, {
    kind: "signature-share",
    request: digest,
    share,
    commitments: [pool.fresh()],
  })
}
