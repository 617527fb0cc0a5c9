/**
 * Encrypted inputs: a compact list of values under the network's public key with a zero-knowledge proof of correct encryption
 * (protocol §1, §8). Synchronous and heavy, about ten seconds on one thread: run it in a worker. A job is plain data, so it
 * can be posted to one.
 *
 * Secret input: the values. The caller guarantees that public key and CRS are the registered files: a malformed CRS would
 * leak the randomness of the encryption.
 */
import { assertNever, ProtocolError } from "../protocol/errors.ts"
import { bitsOf } from "../protocol/fheType.ts"
import { type ClearValue, checkClearValue, clearTypeOf, type DecryptedValue } from "./clearValue.ts"
import type { Tfhe, TfheListBuilder } from "./load.ts"

export type ProofErrorCode =
  /** no value, too many, or more bits than one proof covers. */
  | "INPUT_SIZE"
  /** the WASM library refuses the key, the CRS or the list. */
  | "PROOF_FAILED"

/** What a worker needs to make a proven list. */
export type ProofJob = {
  /** `safe_serialize`d compact public key. */
  readonly publicKey: Uint8Array
  /** `safe_serialize`d CRS. */
  readonly crs: Uint8Array
  /** See inputMetadata.ts. */
  readonly metadata: Uint8Array
  readonly values: readonly ClearValue[]
}

export const MAX_INPUT_VALUES = 32
/** Bits that one proof of the network's CRS covers; the library would silently split longer lists. */
export const MAX_INPUT_BITS = 2048
const MAX_KEY_BYTES = 1n << 20n
const MAX_CRS_BYTES = 1n << 23n
const MAX_LIST_BYTES = 1n << 20n

/** @throws INPUT_SIZE, VALUE_TYPE, VALUE_OUT_OF_RANGE */
export function checkInputs(values: readonly ClearValue[]): readonly DecryptedValue[] {
  const checked = values.map(checkClearValue)
  const bits = values.reduce((sum, clear) => sum + bitsOf(clearTypeOf(clear)), 0)
  if (values.length < 1 || values.length > MAX_INPUT_VALUES || bits > MAX_INPUT_BITS)
    throw new ProtocolError({
      code: "INPUT_SIZE",
      message: `want 1..${MAX_INPUT_VALUES} values of at most ${MAX_INPUT_BITS} bits together, got ${values.length} of ${bits} bits`,
    })
  return checked
}

/**
 * The serialised proven list of the job's values, in their order. Pure: no network, no state.
 * @throws INPUT_SIZE, VALUE_TYPE, VALUE_OUT_OF_RANGE, PROOF_FAILED
 */
export function proveInputs(tfhe: Tfhe, job: ProofJob): Uint8Array {
  const values = checkInputs(job.values)
  const held: { free(): void }[] = []
  const hold = <T extends { free(): void }>(object: T): T => {
    held.push(object)
    return object
  }
  try {
    const publicKey = hold(tfhe.TfheCompactPublicKey.safe_deserialize(job.publicKey, MAX_KEY_BYTES))
    const crs = hold(tfhe.CompactPkeCrs.safe_deserialize(job.crs, MAX_CRS_BYTES))
    const builder = hold(tfhe.CompactCiphertextList.builder(publicKey))
    for (const value of values) push(builder, value)
    const list = hold(builder.build_with_proof_packed(crs, job.metadata, tfhe.ZkComputeLoad.Proof))
    return list.safe_serialize(MAX_LIST_BYTES)
  } catch (cause) {
    throw new ProtocolError(
      { code: "PROOF_FAILED", message: "the library refuses key, CRS or list" },
      { cause },
    )
  } finally {
    for (const object of held.toReversed()) object.free()
  }
}

function push(builder: TfheListBuilder, clear: DecryptedValue): void {
  switch (clear.type) {
    case "bool":
      return builder.push_boolean(clear.value)
    case "uint4":
      return builder.push_u4(Number(clear.value))
    case "uint8":
      return builder.push_u8(Number(clear.value))
    case "uint16":
      return builder.push_u16(Number(clear.value))
    case "uint32":
      return builder.push_u32(Number(clear.value))
    case "uint64":
      return builder.push_u64(clear.value)
    case "uint128":
      return builder.push_u128(clear.value)
    case "uint160":
      return builder.push_u160(clear.value)
    case "uint256":
      return builder.push_u256(clear.value)
    default:
      return assertNever(clear)
  }
}
