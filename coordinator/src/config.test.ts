import { expect, test } from "vitest"
import { configSchema, parseConfig } from "./config.ts"

test("configuration: unknown keys and bad values are fatal and named", () => {
  expect(() => parseConfig({ port: 99_999, surprise: true })).toThrow(/surprise/)
  expect(() => parseConfig({ port: 99_999 })).toThrow(/port/)
})

test("what gas may cost is bounded without a word of the operator, and otherwise by his", () => {
  const limits = (value: object) => configSchema.shape.limits.safeParse(value).data
  expect(limits({})).toMatchObject({ maxFeeGwei: 200, maxTipGwei: 5 })
  expect(limits({ maxFeeGwei: 1500, maxTipGwei: 0.025 })).toMatchObject({
    maxFeeGwei: 1500,
    maxTipGwei: 0.025,
  })
  expect(limits({ maxTipGwei: 0 })).toBeUndefined()
})
