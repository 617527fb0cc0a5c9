/** A signer that always answers just before it would count as silent is never named; it must not slow down the others either. */
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { deliveredResults } from "../../../../test/support/deliveredResults.ts"
import {
  createSigningNetwork,
  resultNumber,
  type SigningNetwork,
} from "../../../../test/support/signingNetwork.ts"
import { rankedParties } from "../ranking.ts"

const size = { n: 4, t: 1 }
const BLOCK = taggedHash("block of the tarrying")
const ranked = rankedParties(size, BLOCK)
const STEP_MS = 25

const certifiedBy = ({ members }: SigningNetwork) =>
  new Set(
    [...members.values()]
      .flatMap(({ delivered }) => delivered.flatMap(deliveredResults))
      .map(({ result }) => result.requestId),
  )

test("answers at the last moment do not lengthen time-outs", async () => {
  // Among equals the first in order is listed first.
  const slow = partyIndexes(size).find((party) => party !== ranked[0])
  let delayMs = 0
  const network: SigningNetwork = createSigningNetwork({
    ...size,
    deps: (party: PartyIndex) =>
      party !== slow
        ? {}
        : {
            standing: (asked) =>
              new Promise((resolve) => {
                network.clock.after(delayMs, () => resolve(new Set(asked)))
              }),
          },
  })
  // Just below what three times its last delay would allow, if that counted.
  for (const [round, delay] of [200, 550, 1600, 4500, 11_000].entries()) {
    delayMs = delay
    const result = resultNumber(round)
    const started = network.clock.now()
    await network.approve([result])
    network.open([result], { blockHash: BLOCK })
    await network.run(20_000, () => certifiedBy(network).has(result.requestId), STEP_MS)
    expect(network.clock.now() - started).toBeLessThan(1000)
    // The late answer still comes, and clears its name.
    await network.run(delay, undefined, STEP_MS)
  }
})
