/** Commitment pairs with an ideal functionality in their place: a pair is one that was made in this run. */
import { toHex } from "../../../sdk/src/protocol/codec.ts"
import type { CurveKernel } from "../../../sdk/src/threshold/curve.ts"
import { frostError } from "../../../sdk/src/threshold/frost.ts"
import * as real from "../../../sdk/src/threshold/frostRound.ts"
import { ledger } from "./ledger.ts"

export * from "../../../sdk/src/threshold/frostRound.ts"

export function assertCommitment(signer: real.SignerCommitment, ...curve: [CurveKernel?]): void {
  if (ledger.real) return real.assertCommitment(signer, ...curve)
  if (!ledger.pairs.has(toHex(signer.commitment)))
    throw frostError("FROST_COMMITMENT", "a commitment pair is two compressed points", [signer.party])
}
