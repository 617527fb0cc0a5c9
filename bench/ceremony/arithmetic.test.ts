import { expect, test } from "vitest"
import { figureIn } from "./arithmetic.ts"
import { parseSizes } from "./size.ts"

test("figures are found in what the crate's tests print", () => {
  const found = { name: "keygen.cpu_s_per_party", value: 4.25, unit: "s", params: { n: 4, t: 1 } }
  expect(figureIn(`figure ${JSON.stringify(found)}`)).toEqual(found)
  expect(figureIn(`test keygen::figures::figures_of_one_party ... figure ${JSON.stringify(found)}`)).toEqual(
    found,
  )
  expect(figureIn("hello: 0.010 CPU-s per party")).toBeNull()
})

test("sizes are n/t", () => {
  expect(parseSizes("4/1,13/4")).toEqual([
    { n: 4, t: 1 },
    { n: 13, t: 4 },
  ])
  expect(() => parseSizes("4")).toThrow("4")
  expect(() => parseSizes("4/1,")).toThrow(RangeError)
})
