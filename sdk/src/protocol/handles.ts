/**
 * Handles (protocol §1): hash(21) ‖ index(1) ‖ chainId(8) ‖ fheType(1) ‖ version(1), as on chain. The hash covers
 * what was computed, by which contract, on which chain and coprocessor, so a copy or a reorganisation is another handle.
 */
import { fromHex, Reader, sha256Digest, taggedHash, Writer } from "./codec.ts"
import { ProtocolError } from "./errors.ts"
import { type FheType, parseFheType } from "./fheType.ts"
import { type Address, type Digest, type Handle, type Hex, type KeyId, parseHandle } from "./ids.ts"

export type HandleErrorCode = "HANDLE_VERSION" | "HANDLE_INDEX"

export const HANDLE_VERSION = 1
/** Index byte of the result of an operation; inputs count from 0 within their list. */
export const OPERATION_INDEX = 255

export type HandleFields = {
  /** First 21 bytes of the derivation's hash. */
  readonly hash: Hex
  readonly index: number
  readonly chainId: bigint
  readonly fheType: FheType
}

/** @throws HANDLE_INDEX, CODEC_RANGE */
export function formatHandle(fields: HandleFields): Handle {
  const { hash, index, chainId, fheType } = fields
  if (!Number.isInteger(index) || index < 0 || index > 255)
    throw new ProtocolError({ code: "HANDLE_INDEX", message: `handle index must be in 0..255, got ${index}` })
  const bytes = new Writer()
    .raw(fromHex(hash).slice(0, 21))
    .uint(1, index)
    .uint(4, Number(chainId >> 32n))
    .uint(4, Number(chainId & 0xffffffffn))
    .uint(1, fheType)
    .uint(1, HANDLE_VERSION)
    .done()
  return parseHandle(new Reader(bytes).hex(32))
}

/** @throws HANDLE_VERSION, UNKNOWN_FHE_TYPE */
export function handleFields(handle: Handle): HandleFields {
  const reader = new Reader(fromHex(handle))
  const hash = reader.hex(21)
  const index = reader.uint(1)
  const chainId = BigInt(reader.hex(8))
  const fheType = parseFheType(reader.uint(1))
  const version = reader.uint(1)
  if (version !== HANDLE_VERSION)
    throw new ProtocolError({
      code: "HANDLE_VERSION",
      message: `handle version must be ${HANDLE_VERSION}, got ${version} in ${handle}`,
    })
  return { hash, index, chainId, fheType }
}

/** Type of the ciphertext behind `handle`. @throws HANDLE_VERSION, UNKNOWN_FHE_TYPE */
export const fheTypeOf = (handle: Handle): FheType => handleFields(handle).fheType

/** Where handles of one key live. */
export type HandleDomain = { readonly chainId: bigint; readonly coprocessor: Address }

/** Value `index` of a proven list; `listDigest` is SHA-256 of the list's bytes. */
export type InputOrigin = {
  readonly keyId: KeyId
  readonly listDigest: Digest
  readonly index: number
  readonly contract: Address
  readonly user: Address
}

/** What a commitment names as the operation of an input; its first 21 bytes are the handle's. */
export const inputDigest = (domain: HandleDomain, input: InputOrigin): Digest =>
  taggedHash(
    "twinlock/input-handle/v1",
    input.listDigest,
    input.index,
    input.contract,
    input.user,
    domain.coprocessor,
    domain.chainId,
    input.keyId,
  )

export const inputHandle = (
  domain: HandleDomain,
  input: InputOrigin & { readonly fheType: FheType },
): Handle => {
  const { chainId } = domain
  const { index, fheType } = input
  return formatHandle({ hash: inputDigest(domain, input), index, chainId, fheType })
}

/** All handles of a proven list, in its order. */
export function inputHandles(
  domain: HandleDomain,
  input: {
    readonly keyId: KeyId
    readonly list: Uint8Array
    readonly contract: Address
    readonly user: Address
    readonly fheTypes: readonly FheType[]
  },
): readonly Handle[] {
  const { keyId, list, contract, user, fheTypes } = input
  const listDigest = sha256Digest(list)
  return fheTypes.map((fheType, index) =>
    inputHandle(domain, { keyId, listDigest, index, contract, user, fheType }),
  )
}

/** One symbolic operation as `Coprocessor` emits it; unused operands are zero. */
export type OperationOrigin = {
  readonly op: number
  readonly lhs: Hex
  readonly rhs: Hex
  readonly third: Hex
  readonly scalar: boolean
  readonly resultType: FheType
  readonly caller: Address
  readonly parentBlockHash: Digest
}

/** The `digest` of the contract's event; its first 21 bytes are the result handle's. */
export const operationDigest = (domain: HandleDomain, operation: OperationOrigin): Digest =>
  taggedHash(
    "twinlock/op/v1",
    operation.op,
    operation.lhs,
    operation.rhs,
    operation.third,
    operation.scalar,
    operation.resultType,
    operation.caller,
    domain.coprocessor,
    domain.chainId,
    operation.parentBlockHash,
  )

/** Handle of the result of one symbolic operation. */
export const operationHandle = (domain: HandleDomain, operation: OperationOrigin): Handle =>
  formatHandle({
    hash: operationDigest(domain, operation),
    index: OPERATION_INDEX,
    chainId: domain.chainId,
    fheType: operation.resultType,
  })
