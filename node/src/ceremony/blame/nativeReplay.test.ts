import { describe, expect, test } from "vitest"
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import type { Outgoing } from "../rounds.ts"
import { type Change, LIAR, type Lies, runNative } from "./nativeCeremony.fixture.ts"
import { nativeBlameFile } from "./nativeFile.fixture.ts"
import { judgeBlameFile } from "./nativeReplay.ts"
import { replay } from "./replay.ts"

/** A few shared bits: the same rounds and checks as a real key, no chunks. */
const BITS = 24

const flip = (bytes: Uint8Array, at = 0): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))

const inRound =
  (name: string, change: (honest: Outgoing) => Outgoing): Change =>
  (round, honest) =>
    round === name ? change(honest) : honest

const toOne =
  (to: number) =>
  ({ broadcast, sealed }: Outgoing): Outgoing => ({
    broadcast,
    sealed: sealed.map((box, at) => (box !== null && at === to - 1 ? flip(box, 1200) : box)),
  })

const toAll = ({ broadcast, sealed }: Outgoing): Outgoing => ({ sealed, broadcast: flip(broadcast) })

type Row = readonly [round: string, change: (honest: Outgoing) => Outgoing, lie: unknown]

async function blameOf(lies: Lies) {
  const { evidence, failed } = await runNative(lies, BITS)
  return { failed, blame: await replay(evidence, nativeEngine, BITS) }
}

describe("a blame file of a real key", () => {
  test("is judged from its bytes", async () => {
    const { file, blame } = await judgeBlameFile(await nativeBlameFile())
    expect(file.reveals.length).toBe(4)
    expect(blame.honest).toEqual(["hello"])
    expect(blame.liars).toEqual([{ party: LIAR, lie: { kind: "broadcast", round: "prss-commit" } }])
  })

  test("with any byte changed is refused", async () => {
    const bytes = await nativeBlameFile()
    for (let at = 0; at < bytes.length; at += 997) {
      const changed = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
      await expect(judgeBlameFile(changed), `byte ${at}`).rejects.toThrow()
    }
  })
})

describe("replay with the addon", () => {
  test("an honest ceremony replays to its last round", async () => {
    const { failed, blame } = await blameOf({})
    expect(failed).toBeNull()
    expect(blame).toMatchObject({ liars: [], withheld: [], disputed: [], check: null })
    expect(blame.honest.slice(0, 2)).toEqual(["hello", "prss-commit"])
    expect(blame.honest.at(-1)).toBe("row-points")
  })

  test.each([
    ["hello", toAll, { kind: "root" }],
    ["prss-commit", toAll, { kind: "broadcast", round: "prss-commit" }],
    ["prss-open", toAll, { kind: "broadcast", round: "prss-open" }],
    ["prss-open", toOne(1), { kind: "sealed", round: "prss-open", to: 1 }],
    ["prss-confirm", toAll, { kind: "broadcast", round: "prss-confirm" }],
    ["inputs", toOne(2), { kind: "sealed", round: "inputs", to: 2 }],
    ["level-0", toOne(4), { kind: "sealed", round: "level-0", to: 4 }],
    ["level-1", toOne(1), { kind: "sealed", round: "level-1", to: 1 }],
    ["coin", toAll, { kind: "broadcast", round: "coin" }],
    ["degree-points", toAll, { kind: "broadcast", round: "degree-points" }],
    ["product-points", toAll, { kind: "broadcast", round: "product-points" }],
    ["row-coin", toAll, { kind: "broadcast", round: "row-coin" }],
  ] as readonly Row[])("a lie in %s", async (round, change, lie) => {
    const { failed, blame } = await blameOf({ message: inRound(round, change) })
    expect(failed).not.toBeNull()
    expect(blame.liars).toEqual([{ party: LIAR, lie }])
  })

  test("a product check that names nobody, and the one who spoiled it", async () => {
    const { failed, blame } = await blameOf({ message: inRound("product-points", toAll) })
    expect(failed).toEqual({ round: "product-points", code: "KEYGEN_PRODUCT_POINTS" })
    expect(blame.liars.map(({ party }) => party)).toEqual([LIAR])
  })

  test("a root that is not the committed one", async () => {
    const { blame } = await blameOf({ root: new Uint8Array(32).fill(99) })
    expect(blame.liars).toEqual([{ party: LIAR, lie: { kind: "root" } }])
    expect(blame.honest).toEqual([])
  })
})
