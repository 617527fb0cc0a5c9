/** Approval, release and opening at committees of more than four: nothing leaves before a quorum, and t liars change nothing. */
import { quorum } from "@twinlock/sdk/protocol/committee"
import { resultFromBody } from "@twinlock/sdk/protocol/http"
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import { COMMITTEE_SIZES } from "../../../test/support/committeeSizes.ts"
import {
  type CommitteeOptions,
  countOf,
  createTestCommittee,
  createTestHolder,
  lyingHolder,
} from "../../../test/support/decryptionNetwork.ts"
import { addCiphertext, addRequest, createScriptedChain } from "../../../test/support/scriptedChain.ts"
import { nativeCurve } from "../threshold/nativeCurve.ts"
import { nativeKernel } from "../threshold/opening.ts"
import { recoverSigner } from "../threshold/signatures.ts"

const VALUE = 54_321n

function createScene(size: { readonly n: number; readonly t: number }, options: Partial<CommitteeOptions>) {
  const chain = createScriptedChain()
  const ciphertexts = [addCiphertext(chain, "value", VALUE)]
  addRequest(
    chain,
    "tally",
    ciphertexts.map(({ handle }) => handle),
  )
  return createTestCommittee({
    ...{
      ...size,
      chain,
      ciphertexts,
      recover: recoverSigner,
      openingKernel: nativeKernel,
      curve: nativeCurve,
    },
    ...options,
  })
}

describe.each(COMMITTEE_SIZES.filter(({ n }) => n > 4))("n = $n, t = $t", (size) => {
  const { n, t } = size
  const last = (count: number) => Array.from({ length: count }, (_, i) => n - i)

  test("one approval less than a quorum releases nothing", async () => {
    const committee = createScene(size, { down: last(n - quorum(size) + 1) })
    await committee.run(10_000, undefined, 500)
    for (const node of committee.nodes) expect(await countOf(node, "shares_released_total")).toBe(0)
    expect(committee.submitted).toEqual([])
  })

  test("a quorum releases, opens and certifies; a node that restarts meanwhile takes part again", async () => {
    let restarted = false
    const committee = createScene(size, {
      down: last(n - quorum(size)),
      // Shares come when the approvals of the first start are forgotten.
      gossip: (_from, _to, topic, payload) =>
        restarted || !topic.startsWith("decryption-shares") ? [payload] : [],
    })
    await committee.run(100, undefined, 50)
    expect(committee.submitted).toEqual([])
    committee.restart(1)
    restarted = true
    await committee.run(20_000, () => committee.delivered.length > 0)
    const [first] = committee.delivered
    if (first === undefined) throw new Error("nothing was delivered")
    expect(BigInt(`0x${Buffer.from(resultFromBody(first.result).plaintexts).toString("hex")}`)).toBe(VALUE)
  })

  test("t lying shares change nothing, and every honest node names exactly their senders", async () => {
    const liars: readonly PartyIndex[] = last(t).map((party) => parsePartyIndex(party, n))
    const chain = createScriptedChain()
    const ciphertexts = [addCiphertext(chain, "value", VALUE)]
    const holders = new Map(
      liars.map((party) => [Number(party), lyingHolder(createTestHolder(party, n, t, ciphertexts))]),
    )
    const committee = createScene(size, { holders })
    await committee.run(20_000, () => committee.delivered.length > 0)
    const [first] = committee.delivered
    if (first === undefined) throw new Error("nothing was delivered")
    expect(BigInt(`0x${Buffer.from(resultFromBody(first.result).plaintexts).toString("hex")}`)).toBe(VALUE)
    for (const node of committee.nodes.filter(({ party }) => !liars.includes(party)))
      for (let party = 1; party <= n; party++)
        expect(await countOf(node, "culprits_total", `{party="${party}"}`)).toBe(
          liars.some((liar) => liar === party) ? 1 : 0,
        )
  })
})
