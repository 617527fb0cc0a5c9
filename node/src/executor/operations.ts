/** From the host contract's symbolic operation to what the addon computes. Pure. */
import { OPERATOR } from "@twinlock/sdk/chain/abi"
import { concatBytes, fromHex, keccak } from "@twinlock/sdk/protocol/codec"
import { fheTypeOf } from "@twinlock/sdk/protocol/handles"
import { type Digest, type Handle, type Hex, parseHandle } from "@twinlock/sdk/protocol/ids"
import type { ComputeRequest } from "./computer.ts"

/** One `Operation` event of the coprocessor. */
export type SymbolicOperation = {
  readonly operator: number
  readonly result: Handle
  readonly lhs: Hex
  readonly rhs: Hex
  readonly third: Hex
  readonly scalar: boolean
  /** Full hash whose first 21 bytes are the result's. */
  readonly digest: Digest
}

/** Names of the addon where they are not those of the contract's enum. */
const RENAMED: Readonly<Record<string, string>> = {
  bitAnd: "and",
  bitOr: "or",
  bitXor: "xor",
  trivialEncrypt: "trivial",
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(OPERATOR).map(([name, code]) => [code, RENAMED[name] ?? name]),
)

/** Handles of the ciphertexts that the operation takes, in the order that the contract hashes them. */
export function operandHandles({ operator, lhs, rhs, third, scalar }: SymbolicOperation): readonly Handle[] {
  switch (operator) {
    case OPERATOR.trivialEncrypt:
      return []
    case OPERATOR.neg:
    case OPERATOR.not:
    case OPERATOR.cast:
      return [parseHandle(lhs)]
    case OPERATOR.select:
      return [parseHandle(lhs), parseHandle(rhs), parseHandle(third)]
    default:
      return scalar ? [parseHandle(lhs)] : [parseHandle(lhs), parseHandle(rhs)]
  }
}

/** @param operands ciphertexts of {@link operandHandles}. */
export function computeRequest(
  operation: SymbolicOperation,
  operands: readonly Uint8Array[],
): ComputeRequest {
  const operator = NAMES.get(operation.operator) ?? `unknown operator ${operation.operator}`
  const toType = fheTypeOf(operation.result)
  switch (operation.operator) {
    case OPERATOR.trivialEncrypt:
      return { operator, operands, scalar: fromHex(operation.lhs), toType }
    case OPERATOR.cast:
      return { operator, operands, toType }
    default:
      return operation.scalar
        ? { operator, operands, scalar: fromHex(operation.rhs) }
        : { operator, operands }
  }
}

/** What a commitment says of its operands: keccak256 over their ciphertext digests in order. */
export const operandsDigest = (digests: readonly Digest[]): Digest =>
  keccak(concatBytes(...digests.map(fromHex)))
