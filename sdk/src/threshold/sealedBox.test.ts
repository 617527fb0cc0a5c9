import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { seededRng } from "../../../test/support/seededRng.ts"
import { BOX_OVERHEAD_BYTES, boxPublicKey, openBox, sealBox } from "./sealedBox.ts"

const secret = seededRng("carol")(32)
const place = { purpose: "twinlock/test/v1", context: new Uint8Array(32).fill(1) }
const content = Uint8Array.of(1, 2, 3)
const box = sealBox(boxPublicKey(secret), place, content, seededRng("box"))

test("a box opens with its key in its place only", () => {
  expect(openBox(secret, place, box)).toEqual(content)
  expect(box.length).toBe(BOX_OVERHEAD_BYTES + 3)
  expect(openBox(secret, { ...place, purpose: "twinlock/other/v1" }, box)).toBeNull()
  expect(openBox(secret, { ...place, context: new Uint8Array(32) }, box)).toBeNull()
  expect(openBox(seededRng("dave")(32), place, box)).toBeNull()
})

test("altered, truncated and foreign bytes do not open", () => {
  for (const at of [1, 1121, box.length - 1]) {
    const altered = Uint8Array.from(box)
    altered[at] = (altered[at] ?? 0) ^ 1
    expect(openBox(secret, place, altered)).toBeNull()
  }
  expect(openBox(secret, place, box.slice(0, 100))).toBeNull()
  expect(openBox(secret, place, Uint8Array.of(2, ...box.slice(1)))).toBeNull()
  expect(openBox(new Uint8Array(31), place, box)).toBeNull()
})

test("nothing is sealed to what is no public key", () => {
  const seal = (key: Uint8Array) => () => sealBox(key, place, content, seededRng("x"))
  expect(codeOf(seal(new Uint8Array(1215)))).toBe("BOX_KEY")
  expect(codeOf(seal(new Uint8Array(1216).fill(255)))).toBe("BOX_KEY")
})
