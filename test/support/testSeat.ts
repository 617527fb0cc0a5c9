/** A seat of the committee that the scripted chain's key belongs to, with the signer of `seatSigners`. */
import { createCommittee } from "@twinlock/sdk/protocol/committee"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import type { KeySeat } from "../../node/src/decryption/seat.ts"
import { Secret } from "../../node/src/secret.ts"
import { seatSigners } from "./decryptionNetwork.ts"
import { EPOCH, KEY, KEY_ID, SIGNING } from "./scriptedChain.ts"
import { seededRng } from "./seededRng.ts"

/** @param party 1 to n */
export const testSeat = (party: number, { n, t } = { n: 4, t: 1 }): KeySeat => ({
  key: KEY,
  committee: createCommittee({ keyId: KEY_ID, epoch: EPOCH, t, parties: seatSigners(n) }),
  self: parsePartyIndex(party, n),
  signing: SIGNING,
  signer: new Secret(seededRng(`signer/${party - 1}`)(32)),
})
