/** The key that an action works with: active, and of parameters that this SDK has. */
import type { Chain } from "../chain/contracts.ts"
import type { ChainBlock } from "../chain/endpoints.ts"
import { type KeyRecord, readActiveKey } from "../chain/read.ts"
import { sdkError } from "../errors.ts"
import type { Epoch } from "../protocol/ids.ts"
import { describeParameters, PARAMETER_SETS, parametersOf } from "../protocol/parameters.ts"

/** @throws PARAMETERS_UNKNOWN, KEY_UNKNOWN, KEY_NOT_ACTIVE, EndpointErrorCode */
export async function readUsableKey(
  chain: Chain,
  at: ChainBlock,
): Promise<KeyRecord & { readonly epoch: Epoch }> {
  const key = await readActiveKey(chain, at)
  if (parametersOf(key.parametersHash) === null)
    throw sdkError(
      "PARAMETERS_UNKNOWN",
      `key ${key.keyId} has parameter set ${key.parametersHash}, this SDK has ${PARAMETER_SETS.map(describeParameters).join("; ")}`,
    )
  return key
}
