/**
 * Step "signing-key": the group's signing key is the sum of what all parties dealt, each with a proof that it knows its
 * part; every party confirmed it, and it is the activated one.
 */

import { toHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { POINT_BYTES, SCALAR_BYTES } from "@twinlock/sdk/threshold/curve"
import { decodePublicKeyPackage, encodePublicKeyPackage, groupKey } from "@twinlock/sdk/threshold/frost"
import {
  agreeOnDealers,
  decodeDkgBroadcast,
  echoDigest,
  jointPackage,
} from "@twinlock/sdk/threshold/frostDkg"
import { dkgSessionOf } from "../dkgRounds.ts"
import { refuse } from "./step.ts"
import type { Transcript } from "./transcript.ts"

export function checkSigningKey({ bundle, attempt, broadcasts }: Transcript): string {
  const session = dkgSessionOf(attempt)
  const dealingBytes = session.quorum * POINT_BYTES + POINT_BYTES + SCALAR_BYTES
  const dealings = [...broadcasts("dkg-commit")].map(([party, bytes]) =>
    decodeDkgBroadcast(session, party, bytes.subarray(0, dealingBytes)),
  )
  const parties = partyIndexes(attempt.committee)
  if (dealings.length !== parties.length) throw refuse("the signing key needs a dealing of every party")
  // The rounds' echoes are all parties' word that they hold these dealings.
  const seen = echoDigest(session, dealings)
  const agreed = agreeOnDealers(session, dealings, new Map(parties.map((party) => [party, seen])))
  const expected = toHex(encodePublicKeyPackage(jointPackage(agreed)))
  for (const [party, confirmed] of broadcasts("dkg-confirm"))
    if (toHex(confirmed) !== expected)
      throw refuse(`party ${party} confirmed another signing key than the dealings make`)
  const { groupX, groupV } = groupKey(decodePublicKeyPackage(encodePublicKeyPackage(jointPackage(agreed))))
  const { activation } = bundle.signed
  if (groupX !== activation.groupX || groupV !== activation.groupV)
    throw refuse("the activation names another group key than the dealings make")
  return `${dealings.length} dealings with proofs of possession make the activated group key`
}
