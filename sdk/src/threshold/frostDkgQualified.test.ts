/** No t dealers veto a key: whatever they do wrong, the others finish with one key, under which a quorum signs. */
import { describe, expect, test } from "vitest"
import { seededRng } from "../../../test/support/seededRng.ts"
import { tagHash, toHex } from "../protocol/codec.ts"
import { partyIndexes } from "../protocol/committee.ts"
import { culprits } from "../protocol/errors.ts"
import type { PartyIndex } from "../protocol/ids.ts"
import { encodePublicKeyPackage, groupKey, toEthereum, verifyGroupSignature } from "./frost.ts"
import {
  type AgreedDealers,
  agreeOnDealers,
  badDealers,
  type DkgBroadcast,
  type DkgSession,
  echoDigest,
  finishDkg,
  makeShares,
  startDkg,
} from "./frostDkg.ts"
import { aggregate, createNonces, createSignatureShare } from "./frostSign.ts"

/** What a bad dealer does: nothing, a false proof, a share off its commitments to one party, no shares. */
const FAULTS = ["silent", "unproven", "wrong share", "withheld share"] as const

/** The dealers that everybody echoes: whose broadcast does not hold is left out by name. */
function agree(
  session: DkgSession,
  broadcasts: readonly DkgBroadcast[],
  echoing: readonly PartyIndex[],
): AgreedDealers {
  const echo = echoDigest(session, broadcasts)
  try {
    return agreeOnDealers(session, broadcasts, new Map(echoing.map((party) => [party, echo])))
  } catch (error) {
    const named = culprits(error)
    if (named.length === 0) throw error
    return agree(
      session,
      broadcasts.filter(({ party }) => !named.includes(party)),
      echoing,
    )
  }
}

describe.each([
  [4, 1],
  [5, 1],
  [7, 2],
  [10, 3],
  [13, 4],
  [15, 4],
])("n = %i, t = %i", (n, t) => {
  test.each(FAULTS.map((_, shift) => shift))(
    "t bad dealers of mixed kinds, placed at %i, veto nothing",
    (shift) => {
      const session: DkgSession = { session: tagHash("qualified"), n, quorum: 2 * t + 1 }
      const parties = partyIndexes(session)
      const bad = new Map(
        Array.from(
          { length: t },
          (_, i) => [parties[(shift + 3 * i) % n] as PartyIndex, FAULTS[(i + shift) % 4]] as const,
        ),
      )
      const honest = parties.filter((party) => !bad.has(party))
      const dealings = new Map(
        parties.map((party) => [party, startDkg(session, party, seededRng(`${party}`))]),
      )
      const broadcasts = [...dealings.values()].flatMap(({ broadcast }) => {
        const fault = bad.get(broadcast.party)
        if (fault === "silent") return []
        return fault === "unproven" ? [{ ...broadcast, possession: new Uint8Array(65).fill(2) }] : [broadcast]
      })
      const agreed = agree(session, broadcasts, honest)
      for (const party of honest) expect(agreed.commitments.has(party)).toBe(true)

      const [victim] = honest
      const received = (to: PartyIndex) =>
        new Map(
          agreed.broadcasts.flatMap(({ party: dealer }) => {
            const dealing = dealings.get(dealer)
            const share = dealing === undefined ? undefined : makeShares(agreed, dealing).get(to)
            const fault = bad.get(dealer)
            if (share === undefined || fault === "withheld share") return []
            return [
              [
                dealer,
                fault === "wrong share" && to === victim ? new Uint8Array(32).fill(1) : share,
              ] as const,
            ]
          }),
        )
      // Complaints name the dealers whom some party cannot use; no honest one is among them.
      const shares = new Map(honest.map((party) => [party, received(party)]))
      const blamed = new Set(
        honest.flatMap((party) => badDealers(agreed, party, shares.get(party) ?? new Map())),
      )
      for (const party of blamed) expect(bad.has(party)).toBe(true)
      const qualified = agreed.broadcasts.map(({ party }) => party).filter((party) => !blamed.has(party))
      expect(qualified.length).toBeGreaterThanOrEqual(n - t)

      const finished = honest.map((party) =>
        finishDkg(agreed, party, shares.get(party) ?? new Map(), qualified),
      )
      const packages = new Set(finished.map(({ publicKey }) => toHex(encodePublicKeyPackage(publicKey))))
      expect(packages.size).toBe(1)

      const signers = finished.slice(-session.quorum)
      const nonces = signers.map(({ keyShare }) =>
        createNonces(keyShare, seededRng(`nonces ${keyShare.party}`)),
      )
      const publicKey = signers[0]?.publicKey
      if (publicKey === undefined) throw new Error("nobody finished")
      const signing = {
        publicKey,
        list: signers.map(({ keyShare }, i) => ({
          party: keyShare.party,
          commitment: nonces[i]?.commitment ?? new Uint8Array(),
        })),
        message: tagHash("message"),
      }
      const answers = new Map(
        signers.map(({ keyShare }, i) => {
          const own = nonces[i]
          if (own === undefined) throw new Error("no nonces")
          return [keyShare.party, createSignatureShare(signing, keyShare, own)]
        }),
      )
      const signature = toEthereum(aggregate(signing, answers))
      expect(verifyGroupSignature(groupKey(publicKey), signing.message, signature)).toBe(true)
    },
  )
})
