/** Quotes: how long they take to verify, what they cost on chain, what a browser loads for them. */
import { attestationBundle } from "./attestationBundle.ts"
import { attestationGas } from "./attestationGas.ts"
import { attestationSpeed } from "./attestationSpeed.ts"
import type { Figure } from "./figure.ts"

const ROUNDS = 200

export async function attestation(): Promise<readonly Figure[]> {
  return [...attestationSpeed(ROUNDS), ...(await attestationGas()), ...(await attestationBundle())]
}
