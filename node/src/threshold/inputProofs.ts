/**
 * Proofs of encrypted inputs (protocol §8). Keyholders verify root inputs themselves: about 70 ms, without the evaluation
 * key. Public data; the caller compares the digests of public key and CRS with the registered ones.
 */
import { type FheType, parseFheType } from "@twinlock/sdk/protocol/fheType"
import { awaitNative } from "./native.ts"

/** Types of the values of a list whose proof holds. @throws INPUT_LIST_MALFORMED, INPUT_PROOF_INVALID, CRS_UNUSABLE, PUBLIC_KEY_INVALID */
export async function verifyInputList(
  list: Uint8Array,
  publicKey: Uint8Array,
  crs: Uint8Array,
  metadata: Uint8Array,
): Promise<readonly FheType[]> {
  const types = await awaitNative((addon) => addon.verifyInputList(list, publicKey, crs, metadata))
  return types.map(parseFheType)
}

/** A proven list of uint8 values, with which a ceremony tests its key before activation. */
export const encryptSelfTest = (
  publicKey: Uint8Array,
  crs: Uint8Array,
  metadata: Uint8Array,
  values: readonly number[],
): Promise<Uint8Array> =>
  awaitNative((addon) => addon.encryptSelfTest(publicKey, crs, metadata, Uint8Array.from(values)))
