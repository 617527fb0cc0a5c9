import {
  type Certificate,
  type CompactSignature,
  compactSignature,
  type EndorsedCertificate,
} from "../../sdk/src/protocol/certificate.ts"
import { concatBytes } from "../../sdk/src/protocol/codec.ts"
import type { Commitment } from "../../sdk/src/protocol/commitment.ts"
import { signersBitmap } from "../../sdk/src/protocol/committee.ts"
import {
  type DecryptionResult,
  hashDecryptionResult,
  hashEndorsedBatch,
  hashResultBatch,
  typedDigest,
} from "../../sdk/src/protocol/eip712.ts"
import { type PartyIndex, parsePartyIndex, type RequestId } from "../../sdk/src/protocol/ids.ts"
import { signDigest } from "../../sdk/src/protocol/signature.ts"
import { toEthereum } from "../../sdk/src/threshold/frost.ts"
import { aggregate, createNonces, createSignatureShare } from "../../sdk/src/threshold/frostSign.ts"
import { leafHash, merkleTree, pathIn, rootOf } from "../../sdk/src/threshold/merkle.ts"
import { encodePlaintextWord } from "../../sdk/src/threshold/plaintext.ts"
import { fakeDeployment } from "./fakeChain.ts"
import { epoch, group, keyId, seatKeys, sessionOf, signingDomain } from "./fakeNetwork.ts"
import { seededRng } from "./seededRng.ts"

/** The result that the fake network would give for these ciphertexts. */
export const resultOf = (
  requestId: RequestId,
  decrypted: readonly (readonly [Commitment, bigint])[],
): DecryptionResult => ({
  chainId: fakeDeployment.chainId,
  gateway: fakeDeployment.decryptionGateway,
  requestId,
  handles: decrypted.map(([commitment]) => commitment.handle),
  sessions: decrypted.map(([commitment]) => sessionOf(commitment)),
  plaintexts: concatBytes(...decrypted.map(([, value]) => encodePlaintextWord(value))),
})

/** Certificates of a batch, signed by these parties of the fake network. */
export function certify(
  results: readonly DecryptionResult[],
  signers: readonly number[] = [1, 2, 3],
): readonly Certificate[] {
  const parties: readonly PartyIndex[] = signers.map((signer) => parsePartyIndex(signer, 4))
  const tree = merkleTree(results.map((result) => leafHash(hashDecryptionResult(result))))
  const batch = {
    keyId,
    epoch,
    signers: signersBitmap(parties),
    root: tree.root,
    leaves: tree.leaves,
  }
  const holders = parties.map((party) => {
    const keyShare = group.keyShares.get(party)
    if (keyShare === undefined) throw new Error(`no share of party ${party}`)
    return { keyShare, nonces: createNonces(keyShare, seededRng(`nonces ${party}`)) }
  })
  const list = holders.map(({ keyShare, nonces }) => ({
    party: keyShare.party,
    commitment: nonces.commitment,
  }))
  const signing = {
    publicKey: group.publicKey,
    list,
    message: typedDigest(signingDomain, hashResultBatch(batch)),
  }
  const shares = new Map(
    holders.map(({ keyShare, nonces }) => [keyShare.party, createSignatureShare(signing, keyShare, nonces)]),
  )
  const { r, s } = toEthereum(aggregate(signing, shares))
  return results.map((_, index) => ({
    keyId,
    epoch,
    signers: batch.signers,
    leaves: batch.leaves,
    index,
    path: pathIn(tree, index),
    r,
    s,
  }))
}

/** What these parties' seats sign for a batch, ascending by party. */
export function endorsements(
  results: readonly DecryptionResult[],
  parties: readonly number[],
): readonly CompactSignature[] {
  const leaves = results.map((result) => leafHash(hashDecryptionResult(result)))
  const batch = { keyId, epoch, root: rootOf(leaves), leaves: leaves.length }
  const digest = typedDigest(signingDomain, hashEndorsedBatch(batch))
  return parties.map((party) => {
    const key = seatKeys[party - 1]
    if (key === undefined) throw new Error(`no seat ${party}`)
    return compactSignature(signDigest(digest, key))
  })
}

/** Certificates of a batch by the seats of these parties (rule E). */
export function endorse(
  results: readonly DecryptionResult[],
  parties: readonly number[] = [1, 2, 3],
): readonly EndorsedCertificate[] {
  const tree = merkleTree(results.map((result) => leafHash(hashDecryptionResult(result))))
  const signers = signersBitmap(parties.map((party) => parsePartyIndex(party, 4)))
  const signatures = endorsements(results, parties)
  return results.map((_, index) => ({
    keyId,
    epoch,
    signers,
    leaves: tree.leaves,
    index,
    path: pathIn(tree, index),
    signatures,
  }))
}
