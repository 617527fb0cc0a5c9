/**
 * Quotes of simulated platforms, on the local development chain only. Production code never imports this file; the
 * contract refuses foreign roots by the same chain id, at construction and at every call.
 */

import type { Digest } from "../protocol/ids.ts"
import type { RootKey } from "./chain.ts"
import { parseRootKey } from "./chain.ts"
import { attestationError } from "./errors.ts"
import { type QuoteVerifier, quoteVerifierUnder, rootIdOf } from "./underRoot.ts"

/** anvil's chain id; no public chain uses it. */
export const DEVNET_CHAIN_ID = 31337n

export type DevnetRootOptions = {
  readonly chainId: bigint
  /** x ‖ y of the simulated root CA. */
  readonly rootKey: Uint8Array
  /** keccak256(x ‖ y) of the root that the contract pins. */
  readonly contractRootId: Digest
}

/**
 * The verifier of a development network under its own root.
 * @throws DEVNET_ROOT_REFUSED unless the chain id is 31337, ROOT_MISMATCH unless the contract pins the same root.
 */
export function createDevnetQuoteVerifier(options: DevnetRootOptions): QuoteVerifier {
  if (options.chainId !== DEVNET_CHAIN_ID)
    throw attestationError(
      "DEVNET_ROOT_REFUSED",
      `a simulated root is accepted on chain ${DEVNET_CHAIN_ID} only, not on ${options.chainId}`,
    )
  const rootKey: RootKey = parseRootKey(options.rootKey)
  if (rootIdOf(rootKey) !== options.contractRootId)
    throw attestationError(
      "ROOT_MISMATCH",
      `the contract pins root ${options.contractRootId}, the simulated root is ${rootIdOf(rootKey)}`,
    )
  return quoteVerifierUnder(rootKey)
}
