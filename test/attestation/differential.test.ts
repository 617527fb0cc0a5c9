/**
 * Other verifiers on the same corpus: every difference is in docs/attestation-differences.md with its reason, and
 * none of them is one where ours lets something pass that others refuse with reason.
 */
import { TCB_STATUSES, type TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import { beforeAll, describe, expect, test } from "vitest"
import { corpus, titleOf } from "./corpus/corpus.ts"
import { SAMPLES_PRESENT } from "./corpus/samples.ts"
import { REASONS, reasonFor } from "./differenceReasons.ts"
import { type Difference, documentOf, findDifferences } from "./differences.ts"
import { readDocument, withoutSamples } from "./differencesDocument.ts"

let differences: readonly Difference[]
let compared: number

// Some 1,500 verifications: half a minute where nothing else runs.
beforeAll(async () => {
  ;({ differences, compared } = await findDifferences())
}, 300_000)

const describeOne = ({ item, other, ours, theirs }: Difference) =>
  `${other}, ${titleOf(item)}: ours ${ours}, theirs ${theirs}`

test("both verifiers judge every whole quote under the two roots", () => {
  expect(compared).toBeGreaterThan(2 * 600)
})

test("the document has every difference, and no other", () => {
  const { rows } = readDocument()
  const found = documentOf(differences)
  expect(SAMPLES_PRESENT ? rows : withoutSamples(rows)).toBe(SAMPLES_PRESENT ? found : withoutSamples(found))
})

test("ours is never the laxer one: where it alone accepts, the other cannot read the form or leaves Intel's rule", () => {
  const laxer = differences.filter(
    (one) => one.oursAccepts && !one.theirsAccepts && !reasonFor(one).theirsIsNarrower,
  )
  expect(laxer.map(describeOne)).toEqual([])
})

test("ours never gives a better status", () => {
  const rank = (status: string) => TCB_STATUSES.indexOf(status as TcbStatus)
  const better = differences.filter(
    (one) => one.oursAccepts && one.theirsAccepts && rank(one.ours) < rank(one.theirs),
  )
  expect(better.map(describeOne)).toEqual([])
})

test("every reason is that of some difference", () => {
  const used = new Set(differences.map(reasonFor))
  expect(REASONS.filter((reason) => SAMPLES_PRESENT && !used.has(reason)).map(({ text }) => text)).toEqual([])
})

/** What dcap-qvl 0.3.9 lets pass: its mutation of the real quote, and the same made on the simulated platform. */
const WRONGLY_ACCEPTED: readonly (readonly [mutation: string, simulated: string])[] = [
  ["3 pck crl: sample mutation crl-empty", "3 pck crl: no list at all"],
  ["3 pck crl: sample mutation crl-garbage", "3 pck crl: garbage"],
  ["3 pck crl: sample mutation crl-bad-signature", "3 pck crl: another signature"],
  ["3 pck crl: sample mutation crl-expired", "3 pck crl: it ran out a second ago"],
  ["1 length: sample mutation trailing-64B", "1 length: 64 bytes after the quote"],
]

describe.each(WRONGLY_ACCEPTED)("%s", (mutation, simulated) => {
  test.each(SAMPLES_PRESENT ? [mutation, simulated] : [simulated])(
    "%s: theirs accepts, ours refuses",
    (title) => {
      const item = corpus.find((one) => titleOf(one) === title)
      expect(item?.expected.code).toMatch(/^(CRL_|QUOTE_TRAILING)/)
      const found = differences.find((one) => one.other === "js" && titleOf(one.item) === title)
      expect(found).toMatchObject({ oursAccepts: false, theirsAccepts: true, theirs: "UpToDate" })
    },
  )
})
