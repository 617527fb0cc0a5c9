/**
 * Arguments of the functions of `DecryptionVerifier` and `DecryptionGateway` that accept results (protocol §7). On chain a result is a list of
 * (handle, session, plaintext) without the chain id, which the verifier takes from its own chain. Public data only.
 */
import { ProtocolError } from "../protocol/errors.ts"
import type { EndorsedCertificateBody, PolicyEvidenceBody } from "../protocol/http.ts"
import type { Hex } from "../protocol/ids.ts"

export type AcceptanceErrorCode = "RESULT_SHAPE"

export type Opening = { readonly handle: Hex; readonly session: Hex; readonly plaintext: bigint }
export type ContractResult = {
  readonly gateway: Hex
  readonly requestId: Hex
  readonly openings: readonly Opening[]
}

/**
 * @param result.plaintexts hex, one 32-byte big-endian word per handle.
 * @throws RESULT_SHAPE where handles, sessions and words differ in number.
 */
export function contractResult(result: {
  readonly gateway: Hex
  readonly requestId: Hex
  readonly handles: readonly Hex[]
  readonly sessions: readonly Hex[]
  readonly plaintexts: Hex
}): ContractResult {
  const { gateway, requestId, handles, sessions, plaintexts } = result
  const openings = handles.flatMap((handle, i): Opening[] => {
    const session = sessions[i]
    const word = plaintexts.slice(2 + 64 * i, 66 + 64 * i)
    return session === undefined || word.length !== 64
      ? []
      : [{ handle, session, plaintext: BigInt(`0x${word}`) }]
  })
  if (
    openings.length !== handles.length ||
    openings.length !== sessions.length ||
    plaintexts.length !== 2 + 64 * openings.length
  )
    throw new ProtocolError({
      code: "RESULT_SHAPE",
      message: `want one session and one word per handle, got ${handles.length} handles, ${sessions.length} sessions, ${plaintexts.length / 2 - 1} bytes`,
    })
  return { gateway, requestId, openings }
}

/** r and vs of a compact signature. */
type SignatureWords = readonly [Hex, Hex]

const signatureWords = (signature: Hex): SignatureWords => [
  signature.slice(0, 66) as Hex,
  `0x${signature.slice(66)}`,
]

/** Certificates of the group fit the ABI by the names of their fields; these need their signatures split. */
export const contractEndorsed = (
  certificate: EndorsedCertificateBody,
): Omit<EndorsedCertificateBody, "signatures"> & { readonly signatures: readonly SignatureWords[] } => ({
  ...certificate,
  signatures: certificate.signatures.map(signatureWords),
})

/** Evidence beyond the group signature, as `verifyWith` and `fulfilWith` take it. */
export const contractEvidence = (
  evidence: PolicyEvidenceBody,
): {
  readonly endorsers: string
  readonly signatures: readonly SignatureWords[]
  readonly quotes: readonly {
    readonly index: number
    readonly evidence: PolicyEvidenceBody["quotes"][number]["evidence"]
  }[]
} => ({
  endorsers: evidence.endorsers,
  signatures: evidence.signatures.map(signatureWords),
  quotes: evidence.quotes.map((quote) => ({ index: quote.party, evidence: quote.evidence })),
})
