/**
 * Sealing of signing-key shares between parties: the project's one X-Wing box (sdk/threshold/sealedShare), with the
 * context of a dealt share in the place of a user decryption's. Ephemeral keys live for one attempt.
 */
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Committee } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import {
  parseAddress,
  parseDigest,
  parseHandle,
  parsePartyIndex,
  parseSessionId,
} from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import {
  generateTransportKey,
  openShare,
  type SealedShareContext,
  sealShare,
  TRANSPORT_KEY_BYTES,
} from "@twinlock/sdk/threshold/sealedShare"
import type { ShareSealing } from "./dkgRounds.ts"

/** version(1) ‖ encapsulation(1120) ‖ session(32) ‖ tag(16) */
const OVERHEAD_BYTES = 1 + 1120 + 32 + 16

/** @param context 32 bytes that name session, dealer and recipient; everything else in here is constant */
const sealedContext = (
  { keyId, epoch }: Pick<Committee, "keyId" | "epoch">,
  context: Uint8Array,
): SealedShareContext => ({
  keyId,
  epoch,
  sessionId: parseSessionId(toHex(context)),
  chainId: 0n,
  handle: parseHandle(`0x${"0".repeat(64)}`),
  user: parseAddress(`0x${"0".repeat(40)}`),
  permitHash: parseDigest(toHex(context)),
  party: parsePartyIndex(1, 1),
})

export const xwingSealing = (scope: Pick<Committee, "keyId" | "epoch">, rng: Rng): ShareSealing => ({
  publicKeyBytes: TRANSPORT_KEY_BYTES,
  overheadBytes: OVERHEAD_BYTES,
  generate: () => generateTransportKey(rng),
  seal: (publicKey, context, plain) => sealShare(publicKey, sealedContext(scope, context), plain, rng),
  open(secretKey, context, box) {
    try {
      return openShare(secretKey, sealedContext(scope, context), box)
    } catch (error) {
      if (error instanceof ProtocolError) return null
      throw error
    }
  },
})
