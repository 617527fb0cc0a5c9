/**
 * Bodies of the HTTP interfaces of coordinator, executors and nodes. JSON; bytes are 0x-prefixed hex, wide integers are
 * decimal strings. Servers validate with their own schemas; a client trusts nothing in an answer that it did not check.
 */
import {
  type BatchCertificate,
  type Certificate,
  type Certified,
  COMPACT_SIGNATURE_BYTES,
  type CompactSignature,
  type EndorsedCertificate,
  type PolicyEvidence,
} from "./certificate.ts"
import { fromHex, taggedHash, toHex } from "./codec.ts"
import type { DecryptionResult, UserDecryptionPermit } from "./eip712.ts"
import { assertNever, ProtocolError } from "./errors.ts"
import {
  type Address,
  type Digest,
  type Handle,
  type Hex,
  type KeyId,
  parseAddress,
  parseDigest,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parseRequestId,
  parseSessionId,
  type RequestId,
  type SessionId,
} from "./ids.ts"

export type HttpErrorCode = "HTTP_FORM"

/** Answer to a refused call; `code` is one of the closed error codes. */
export type ErrorBody = {
  readonly error: { readonly code: string; readonly message: string; readonly culprits?: readonly number[] }
}

/** `GET /v1/network` of the coordinator. A hint about where to look; every digest is checked against the registry. */
export type NetworkBody = {
  readonly chainId: string
  readonly keyRegistry: Address
  readonly keys: readonly {
    readonly keyId: KeyId
    readonly epoch: number
    /** SHA-256 of the file, which is also its address under `/v1/blobs/`. */
    readonly publicKeyDigest: Digest
    readonly crsDigest: Digest
  }[]
}

/** `POST /v1/inputs` of coordinator and executor: a proven list, for one contract and user. */
export type InputsRequest = { readonly list: Hex; readonly contract: Address; readonly user: Address }
/** An executor's answer; the signature is over `InputAttestation`. */
export type ExecutorInputsResponse = {
  readonly handles: readonly Handle[]
  readonly signer: Address
  readonly signature: Hex
}
/** The coordinator's answer: what k executors attested alike. */
export type InputsResponse = {
  readonly handles: readonly Handle[]
  readonly attestations: readonly { readonly signer: Address; readonly signature: Hex }[]
}

/** JSON form of {@link UserDecryptionPermit}. */
export type PermitBody = {
  readonly user: Address
  readonly transportKeyHash: Digest
  readonly contracts: readonly Address[]
  readonly notBefore: string
  readonly notAfter: string
  readonly nonce: string
  readonly chainId: string
  readonly extra: Hex
}
/** `POST /v1/user-decryptions` of coordinator and node. `signature` is the user's over the permit (ECDSA or ERC-1271). */
export type UserDecryptionRequest = {
  readonly keyId: KeyId
  readonly permit: PermitBody
  readonly signature: Hex
  /** X-Wing public key, 1216 bytes; the permit binds its keccak256. */
  readonly transportKey: Hex
  readonly handles: readonly { readonly handle: Handle; readonly contract: Address }[]
}
export type SealedShareBody = {
  readonly handle: Handle
  readonly sessionId: SessionId
  readonly sealed: Hex
  /** Of the seat's signer over `sealedShareDigest` (threshold/sealedShare.ts). */
  readonly signature: Hex
}
/** A node's answer: its shares of all handles, sealed to the transport key. */
export type NodeUserDecryptionResponse = {
  readonly keyId: KeyId
  readonly epoch: number
  readonly party: number
  readonly sealedShares: readonly SealedShareBody[]
}
export type UserDecryptionResponse = { readonly responses: readonly NodeUserDecryptionResponse[] }

/** JSON form of {@link DecryptionResult}. */
export type ResultBody = {
  readonly chainId: string
  readonly gateway: Address
  readonly requestId: RequestId
  readonly handles: readonly Handle[]
  readonly sessions: readonly SessionId[]
  readonly plaintexts: Hex
}
/** JSON form of {@link BatchCertificate}. */
export type BatchCertificateBody = {
  readonly keyId: KeyId
  readonly epoch: number
  readonly signers: string
  readonly r: Address
  readonly s: string
}
type PlaceBody = { readonly leaves: number; readonly index: number; readonly path: readonly Digest[] }
/** JSON form of {@link Certificate}. */
export type CertificateBody = BatchCertificateBody & PlaceBody
/** JSON form of {@link EndorsedCertificate}; a signature has 64 bytes. */
export type EndorsedCertificateBody = PlaceBody & {
  readonly keyId: KeyId
  readonly epoch: number
  readonly signers: string
  readonly signatures: readonly Hex[]
}
/** JSON form of {@link FreshQuote}. */
export type FreshQuoteBody = {
  readonly party: number
  readonly evidence: {
    readonly quote: Hex
    readonly auth: Hex
    readonly pckLeaf: Hex
    readonly caId: Digest
    readonly configDocument: Hex
  }
}
/** JSON form of {@link PolicyEvidence}. */
export type PolicyEvidenceBody = {
  readonly endorsers: string
  readonly signatures: readonly Hex[]
  readonly quotes: readonly FreshQuoteBody[]
}
/** One result under the group's signature, as `POST /v1/certificates` takes it. */
export type CertificatesRequest = {
  readonly kind: "group"
  readonly result: ResultBody
  readonly certificate: CertificateBody
}
/** JSON form of {@link Certified}: one result and what the contract accepts it by. */
export type CertifiedBody =
  | CertificatesRequest
  | { readonly kind: "endorsed"; readonly result: ResultBody; readonly certificate: EndorsedCertificateBody }
  | {
      readonly kind: "policy"
      readonly result: ResultBody
      readonly certificate: CertificateBody
      readonly evidence: PolicyEvidenceBody
    }
/** All results of a batch in the order of its leaves, 1..64, under one group signature. */
export type BatchBody = {
  readonly kind: "batch"
  readonly results: readonly ResultBody[]
  readonly certificate: BatchCertificateBody
}
/** `POST /v1/certificates`: submit on chain what the network certified. */
export type SubmissionBody = CertifiedBody | BatchBody

/** `GET /v1/requests/:id` */
export type RequestStatusBody =
  | { readonly status: "unknown" | "pending" }
  | ({ readonly status: "certified" } & CertifiedBody)
  | ({ readonly status: "fulfilled"; readonly transaction: Digest } & CertifiedBody)

/** Header of `PUT /v1/blobs/:sha256`: the uploader's signature over {@link blobPutDigest}. */
export const SIGNATURE_HEADER = "x-twinlock-signature"

export const blobPutDigest = (digest: Digest, size: number): Digest =>
  taggedHash("twinlock/blob-put/v1", digest, size)

function decimal(value: string): bigint {
  if (!/^(0|[1-9][0-9]{0,77})$/.test(value))
    throw new ProtocolError({
      code: "HTTP_FORM",
      message: `want a decimal integer, got ${JSON.stringify(value.slice(0, 80))}`,
    })
  return BigInt(value)
}

export const permitToBody = (permit: UserDecryptionPermit): PermitBody => ({
  ...permit,
  notBefore: `${permit.notBefore}`,
  notAfter: `${permit.notAfter}`,
  nonce: `${permit.nonce}`,
  chainId: `${permit.chainId}`,
  extra: toHex(permit.extra),
})

/** @throws HTTP_FORM and the codes of ids.ts and codec.ts */
export const permitFromBody = (body: PermitBody): UserDecryptionPermit => ({
  user: parseAddress(body.user),
  transportKeyHash: parseDigest(body.transportKeyHash),
  contracts: body.contracts.map(parseAddress),
  notBefore: decimal(body.notBefore),
  notAfter: decimal(body.notAfter),
  nonce: decimal(body.nonce),
  chainId: decimal(body.chainId),
  extra: fromHex(body.extra),
})

export const resultToBody = (result: DecryptionResult): ResultBody => ({
  ...result,
  chainId: `${result.chainId}`,
  plaintexts: toHex(result.plaintexts),
})

/** @throws HTTP_FORM and the codes of ids.ts and codec.ts */
export const resultFromBody = (body: ResultBody): DecryptionResult => ({
  chainId: decimal(body.chainId),
  gateway: parseAddress(body.gateway),
  requestId: parseRequestId(body.requestId),
  handles: body.handles.map(parseHandle),
  sessions: body.sessions.map(parseSessionId),
  plaintexts: fromHex(body.plaintexts),
})

export const batchCertificateToBody = (certificate: BatchCertificate): BatchCertificateBody => ({
  keyId: certificate.keyId,
  epoch: certificate.epoch,
  signers: `${certificate.signers}`,
  r: certificate.r,
  s: `${certificate.s}`,
})

/** @throws HTTP_FORM and the codes of ids.ts */
export const batchCertificateFromBody = (body: BatchCertificateBody): BatchCertificate => ({
  keyId: parseKeyId(body.keyId),
  epoch: parseEpoch(body.epoch),
  signers: decimal(body.signers),
  r: parseAddress(body.r),
  s: decimal(body.s),
})

export const certificateToBody = (certificate: Certificate): CertificateBody => ({
  ...batchCertificateToBody(certificate),
  leaves: certificate.leaves,
  index: certificate.index,
  path: certificate.path,
})

/** @throws HTTP_FORM and the codes of ids.ts */
export const certificateFromBody = (body: CertificateBody): Certificate => ({
  ...batchCertificateFromBody(body),
  ...placeFromBody(body),
})

export const endorsedCertificateToBody = (certificate: EndorsedCertificate): EndorsedCertificateBody => ({
  ...certificate,
  signers: `${certificate.signers}`,
  signatures: certificate.signatures.map(toHex),
})

/** @throws HTTP_FORM and the codes of ids.ts and codec.ts */
export const endorsedCertificateFromBody = (body: EndorsedCertificateBody): EndorsedCertificate => ({
  keyId: parseKeyId(body.keyId),
  epoch: parseEpoch(body.epoch),
  signers: decimal(body.signers),
  ...placeFromBody(body),
  signatures: body.signatures.map(compact),
})

export const policyEvidenceToBody = ({
  endorsers,
  signatures,
  quotes,
}: PolicyEvidence): PolicyEvidenceBody => ({
  endorsers: `${endorsers}`,
  signatures: signatures.map(toHex),
  quotes: quotes.map(({ party, evidence }) => ({
    party,
    evidence: {
      quote: toHex(evidence.quote),
      auth: toHex(evidence.auth),
      pckLeaf: toHex(evidence.pckLeaf),
      caId: evidence.caId,
      configDocument: toHex(evidence.configDocument),
    },
  })),
})

/** @throws HTTP_FORM and the codes of ids.ts and codec.ts */
export const policyEvidenceFromBody = (body: PolicyEvidenceBody): PolicyEvidence => ({
  endorsers: decimal(body.endorsers),
  signatures: body.signatures.map(compact),
  quotes: body.quotes.map(({ party, evidence }) => ({
    party: count(party),
    evidence: {
      quote: fromHex(evidence.quote),
      auth: fromHex(evidence.auth),
      pckLeaf: fromHex(evidence.pckLeaf),
      caId: parseDigest(evidence.caId),
      configDocument: fromHex(evidence.configDocument),
    },
  })),
})

export function certifiedToBody(certified: Certified): CertifiedBody {
  const result = resultToBody(certified.result)
  switch (certified.kind) {
    case "group":
      return { kind: "group", result, certificate: certificateToBody(certified.certificate) }
    case "endorsed":
      return { kind: "endorsed", result, certificate: endorsedCertificateToBody(certified.certificate) }
    case "policy":
      return {
        kind: "policy",
        result,
        certificate: certificateToBody(certified.certificate),
        evidence: policyEvidenceToBody(certified.evidence),
      }
    default:
      return assertNever(certified)
  }
}

/** @throws HTTP_FORM and the codes of ids.ts and codec.ts */
export function certifiedFromBody(body: CertifiedBody): Certified {
  const result = resultFromBody(body.result)
  switch (body.kind) {
    case "group":
      return { kind: "group", result, certificate: certificateFromBody(body.certificate) }
    case "endorsed":
      return { kind: "endorsed", result, certificate: endorsedCertificateFromBody(body.certificate) }
    case "policy":
      return {
        kind: "policy",
        result,
        certificate: certificateFromBody(body.certificate),
        evidence: policyEvidenceFromBody(body.evidence),
      }
    default:
      return assertNever(body)
  }
}

const placeFromBody = (body: PlaceBody) => ({
  leaves: count(body.leaves),
  index: count(body.index),
  path: body.path.map(parseDigest),
})

function compact(hex: Hex): CompactSignature {
  const signature = fromHex(hex)
  if (signature.length !== COMPACT_SIGNATURE_BYTES)
    throw new ProtocolError({
      code: "HTTP_FORM",
      message: `a signature has ${COMPACT_SIGNATURE_BYTES} bytes, got ${signature.length}`,
    })
  return signature
}

function count(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new ProtocolError({ code: "HTTP_FORM", message: `want a count, got ${value}` })
  return value
}
