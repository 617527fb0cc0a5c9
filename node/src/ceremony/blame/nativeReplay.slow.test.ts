import { describe, expect, test } from "vitest"
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import { type Change, LIAR, type Lies, runNative } from "./nativeCeremony.fixture.ts"
import { replay } from "./replay.ts"

async function liarsOf(lies: Lies) {
  const { evidence } = await runNative({ ...lies, message: stopAtRowCoin })
  return (await replay(evidence, nativeEngine)).liars
}

/** What is to be found lies before: the row check itself would take minutes. */
const stopAtRowCoin: Change = (round, honest) =>
  round === "row-coin" ? { ...honest, broadcast: new Uint8Array(64) } : honest

const flip = (chunk: number) => (index: number, honest: Uint8Array) => {
  if (index === chunk) honest[honest.length - 1] = (honest[honest.length - 1] ?? 0) ^ 0x40
  return honest
}

describe("replay of a key of full size", () => {
  test("a wrong contribution to one chunk", async () => {
    const { chunks } = nativeEngine.keyLayout()
    const last = chunks.at(-1)
    expect(await liarsOf({ contribution: flip(last?.index ?? 0) })).toEqual([
      { party: LIAR, lie: { kind: "contribution", chunk: last?.index, part: last?.part } },
    ])
  })

  test("a wrong published sum", async () => {
    const { chunks } = nativeEngine.keyLayout()
    const own = chunks.find(({ index }) => index % 4 === LIAR - 1)
    expect(await liarsOf({ sum: flip(own?.index ?? 0) })).toEqual([
      { party: LIAR, lie: { kind: "sum", chunk: own?.index, part: own?.part } },
    ])
  })
})
