/**
 * Clear values before encryption and after decryption. The WASM library does not check ranges (300 pushed as a uint8 is
 * taken silently), so every value is checked here. Values are the user's secret until encrypted: errors never show them.
 */
import { assertNever, ProtocolError } from "../protocol/errors.ts"
import { bitsOf, FHE_TYPES, type FheType, type FheTypeName, fheTypeName } from "../protocol/fheType.ts"

export type ClearValueErrorCode = "VALUE_OUT_OF_RANGE" | "VALUE_TYPE"

/** A value and the type that it is encrypted as. Numbers must be safe integers. */
export type ClearValue =
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: Exclude<FheTypeName, "bool">; readonly value: bigint | number }

/** What a decryption gives: booleans for bool, bigint otherwise. */
export type DecryptedValue =
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: Exclude<FheTypeName, "bool">; readonly value: bigint }

/** @throws VALUE_TYPE for another JavaScript type, VALUE_OUT_OF_RANGE for what the type cannot hold. */
export function checkClearValue(clear: ClearValue): DecryptedValue {
  const { type, value } = clear
  if (!Object.hasOwn(FHE_TYPES, type)) throw bad("VALUE_TYPE", `unknown type ${JSON.stringify(type)}`)
  if (type === "bool") {
    if (typeof value !== "boolean") throw bad("VALUE_TYPE", `a bool is true or false, got a ${typeof value}`)
    return { type, value }
  }
  if (typeof value !== "bigint" && !(typeof value === "number" && Number.isSafeInteger(value)))
    throw bad("VALUE_TYPE", `a ${type} is a bigint or a safe integer, got another ${typeof value}`)
  const wide = BigInt(value)
  const bits = BigInt(bitsOf(FHE_TYPES[type]))
  if (wide < 0n || wide >> bits !== 0n)
    throw bad(
      "VALUE_OUT_OF_RANGE",
      `a ${type} must be in 0..2^${bits}-1; arithmetic wraps on chain, inputs do not`,
    )
  return { type, value: wide }
}

export const clearTypeOf = (clear: ClearValue): FheType => FHE_TYPES[clear.type]

/** A decrypted word as a value of its type. The caller has checked its range. */
export function decryptedValue(word: bigint, fheType: FheType): DecryptedValue {
  const type = fheTypeName(fheType)
  switch (type) {
    case "bool":
      return { type, value: word === 1n }
    case "uint4":
    case "uint8":
    case "uint16":
    case "uint32":
    case "uint64":
    case "uint128":
    case "uint160":
    case "uint256":
      return { type, value: word }
    default:
      return assertNever(type)
  }
}

const bad = (code: ClearValueErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })
