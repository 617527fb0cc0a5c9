/** Registrations as the registry keeps them; who registered what is of no interest here. */
import type { NodeRecord, NodeRole } from "@twinlock/node/chain/chainView"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { GENESIS_SECONDS, NO_DIGEST } from "./chain.ts"

const YEAR = 31_536_000n

export const registered = (signer: Address, role: NodeRole): NodeRecord => ({
  ...{ signer, role, operator: signer, peerIdHash: NO_DIGEST, configHash: NO_DIGEST, ppid: signer },
  liveUntil: GENESIS_SECONDS + YEAR,
  revoked: false,
})
