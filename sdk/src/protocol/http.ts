/**
 * Bodies of the HTTP interfaces of coordinator, executors and nodes. JSON; bytes are 0x-prefixed hex, wide integers are
 * decimal strings. Servers validate with their own schemas; a client trusts nothing in an answer that it did not check.
 */
import type { Certificate } from "./certificate.ts"
import { fromHex, taggedHash, toHex } from "./codec.ts"
import type { DecryptionResult, UserDecryptionPermit } from "./eip712.ts"
import { ProtocolError } from "./errors.ts"
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
/** JSON form of {@link Certificate}. */
export type CertificateBody = {
  readonly keyId: KeyId
  readonly epoch: number
  readonly signers: string
  readonly leaves: number
  readonly index: number
  readonly path: readonly Digest[]
  readonly r: Address
  readonly s: string
}
/** `POST /v1/certificates`: submit on chain what the network certified. */
export type CertificatesRequest = { readonly result: ResultBody; readonly certificate: CertificateBody }

/** `GET /v1/requests/:id` */
export type RequestStatusBody =
  | { readonly status: "unknown" | "pending" }
  | ({ readonly status: "certified" } & CertificatesRequest)
  | ({ readonly status: "fulfilled"; readonly transaction: Digest } & CertificatesRequest)

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

export const certificateToBody = (certificate: Certificate): CertificateBody => ({
  ...certificate,
  signers: `${certificate.signers}`,
  s: `${certificate.s}`,
})

/** @throws HTTP_FORM and the codes of ids.ts */
export const certificateFromBody = (body: CertificateBody): Certificate => ({
  keyId: parseKeyId(body.keyId),
  epoch: parseEpoch(body.epoch),
  signers: decimal(body.signers),
  leaves: count(body.leaves),
  index: count(body.index),
  path: body.path.map(parseDigest),
  r: parseAddress(body.r),
  s: decimal(body.s),
})

function count(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new ProtocolError({ code: "HTTP_FORM", message: `want a count, got ${value}` })
  return value
}
