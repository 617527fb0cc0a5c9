import { expect, test } from "vitest"
import { raised } from "./fees.ts"

const fee = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint) => ({ maxFeePerGas, maxPriorityFeePerGas })

test("a replacement offers an eighth more of everything, and no less than the market asks", () => {
  expect(raised(fee(800n, 8n), fee(500n, 5n))).toEqual(fee(901n, 10n))
  expect(raised(fee(800n, 8n), fee(2000n, 5n))).toEqual(fee(2000n, 10n))
  expect(raised(fee(0n, 0n), fee(1n, 0n))).toEqual(fee(1n, 1n))
})

test("what is far above the market is not raised", () => {
  const market = fee(100n, 1n)
  let offered = market
  for (let i = 0; i < 100; i++) offered = raised(offered, market) ?? offered
  expect(offered.maxFeePerGas).toBeGreaterThan(400n)
  expect(offered.maxFeePerGas).toBeLessThanOrEqual(500n)
})
