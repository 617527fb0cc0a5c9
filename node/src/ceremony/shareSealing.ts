/** Sealing of signing-key shares between parties: the project's X-Wing box. Ephemeral keys live for one attempt. */
import { fromHex, taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import type { Committee } from "@twinlock/sdk/protocol/committee"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import {
  BOX_OVERHEAD_BYTES,
  BOX_PUBLIC_KEY_BYTES,
  BOX_SECRET_KEY_BYTES,
  type BoxPlace,
  boxPublicKey,
  openBox,
  sealBox,
} from "@twinlock/sdk/threshold/sealedBox"
import type { ShareSealing } from "./dkgRounds.ts"

/** @param context 32 bytes that name session, dealer and recipient. */
const placeOf = ({ keyId, epoch }: Pick<Committee, "keyId" | "epoch">, context: Uint8Array): BoxPlace => ({
  purpose: "twinlock/dkg-share/v1",
  context: fromHex(taggedHash("twinlock/dkg-share-context/v1", keyId, epoch, toHex(context))),
})

export const xwingSealing = (scope: Pick<Committee, "keyId" | "epoch">, rng: Rng): ShareSealing => ({
  publicKeyBytes: BOX_PUBLIC_KEY_BYTES,
  overheadBytes: BOX_OVERHEAD_BYTES,
  generate() {
    const secretKey = rng(BOX_SECRET_KEY_BYTES)
    return { publicKey: boxPublicKey(secretKey), secretKey }
  },
  seal: (publicKey, context, plain) => sealBox(publicKey, placeOf(scope, context), plain, rng),
  open: (secretKey, context, box) => openBox(secretKey, placeOf(scope, context), box),
})
