/** An executor's judgement of a new key: expand the proven list, add its two values, squash. All public. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import type { ServerKey } from "./serverKey.ts"

export type SelfTestErrorCode = "SELF_TEST_LIST"

/** What a proven list is checked against. */
export type ProofFiles = { readonly publicKey: Uint8Array; readonly crs: Uint8Array }

/**
 * Adds the two bytes of the proven list and squashes the sum: canonical words.
 * @throws SELF_TEST_LIST unless the list holds two uint8 values; those of expandInputs
 */
export async function evaluateSelfTest(
  key: Pick<ServerKey, "expandInputs" | "compute" | "squash">,
  list: Uint8Array,
  files: ProofFiles,
  metadata: Uint8Array,
): Promise<Uint8Array> {
  const values = await key.expandInputs(list, files, metadata)
  if (values.length !== 2 || values.some(({ fheType }) => fheType !== FHE_TYPES.uint8))
    throw new ProtocolError({
      code: "SELF_TEST_LIST",
      message: `want two uint8 values, got types ${values.map(({ fheType }) => fheType).join(",")}`,
    })
  const sum = await key.compute({ operator: "add", operands: values.map(({ ciphertext }) => ciphertext) })
  return key.squash(sum, FHE_TYPES.uint8)
}
