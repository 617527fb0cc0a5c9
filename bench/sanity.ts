/** Short benchmarks of everything: they show in CI that the harness and what it measures still work. */

import { tagHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { aggregate, createNonces, createSignatureShare } from "@twinlock/sdk/threshold/frostSign"
import { encode, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import { share } from "@twinlock/sdk/threshold/shamir"
import { generateFrostGroup } from "../test/support/frostGroup.ts"
import { attestationBundle } from "./attestationBundle.ts"
import { attestationSpeed } from "./attestationSpeed.ts"
import { ceremony } from "./ceremony.ts"
import { type Figure, figure, percentile } from "./figure.ts"
import { threshold } from "./threshold.ts"

const ROUNDS = 20
const N = 4
const T = 1
/** FheUint16. */
const BLOCKS = 4

const timed = (run: () => void): number => {
  const from = performance.now()
  run()
  return performance.now() - from
}

function openings(liars: number): number[] {
  const shares = Array.from({ length: BLOCKS }, () => share(scalar(5n << 123n), N, T, systemRng))
  const bytesOf = (party: number) => {
    const bytes = Buffer.concat(shares.map((block) => encode(block[party - 1]?.value ?? scalar(0n))))
    if (party <= liars) bytes[11] = (bytes[11] ?? 0) ^ 4
    return new Uint8Array(bytes)
  }
  return Array.from({ length: ROUNDS }, () =>
    timed(() => {
      const opening = createOpening({ n: N, t: T, blocks: BLOCKS })
      for (const party of partyIndexes({ n: N })) opening.add(party, bytesOf(party))
      if (opening.state.status !== "opened") throw new Error("nothing was opened")
    }),
  )
}

function signings(): number[] {
  const { publicKey, keyShares } = generateFrostGroup(N, T, "bench")
  const signers = partyIndexes({ n: N }).slice(0, 2 * T + 1)
  return Array.from({ length: ROUNDS }, (_, i) =>
    timed(() => {
      const held = signers.flatMap((party) => {
        const keyShare = keyShares.get(party)
        return keyShare === undefined ? [] : [{ party, keyShare, nonces: createNonces(keyShare, systemRng) }]
      })
      const list = held.map(({ party, nonces }) => ({ party, commitment: nonces.commitment }))
      const signing = { publicKey, list, message: tagHash(`bench/${i}`) }
      aggregate(
        signing,
        new Map(
          held.map(({ party, keyShare, nonces }) => [party, createSignatureShare(signing, keyShare, nonces)]),
        ),
      )
    }),
  )
}

export async function sanity(): Promise<readonly Figure[]> {
  const params = { n: N, t: T, p: 50 }
  return [
    figure("open.fast_ms", percentile(openings(0), 50), "ms", { ...params, type: "FheUint16" }),
    figure("open.liar_ms", percentile(openings(1), 50), "ms", { ...params, type: "FheUint16" }),
    figure("frost.sign_ms", percentile(signings(), 50), "ms", params),
    ...attestationSpeed(ROUNDS),
    ...(await attestationBundle()),
    ...(await threshold({ quick: true })),
    ...(await ceremony({ quick: true })),
  ]
}
