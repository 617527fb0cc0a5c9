import { expect, test } from "vitest"
import { bounded, raised } from "./fees.ts"

const fee = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint) => ({ maxFeePerGas, maxPriorityFeePerGas })

const any = fee(10n ** 18n, 10n ** 18n)

test("a replacement offers an eighth more of everything, and no less than the market asks", () => {
  expect(raised(fee(800n, 8n), fee(500n, 5n), any)).toEqual(fee(901n, 10n))
  expect(raised(fee(800n, 8n), fee(2000n, 5n), any)).toEqual(fee(2000n, 10n))
  expect(raised(fee(0n, 0n), fee(1n, 0n), any)).toEqual(fee(1n, 1n))
})

test("what is far above the market is not raised", () => {
  const market = fee(100n, 1n)
  let offered = market
  for (let i = 0; i < 100; i++) offered = raised(offered, market, any) ?? offered
  expect(offered.maxFeePerGas).toBeGreaterThan(400n)
  expect(offered.maxFeePerGas).toBeLessThanOrEqual(500n)
})

test("nothing is offered above what the operator allows, whatever the market asks", () => {
  const most = fee(1000n, 10n)
  expect(bounded(fee(500n, 5n), most)).toEqual(fee(500n, 5n))
  expect(bounded(fee(10n ** 15n, 10n ** 14n), most)).toEqual(most)
  expect(bounded(fee(8n, 20n), most)).toEqual(fee(8n, 8n))
  expect(raised(fee(850n, 5n), fee(850n, 5n), most)).toEqual(fee(957n, 6n))
  expect(raised(fee(950n, 5n), fee(950n, 5n), most)).toBeNull()
  expect(raised(fee(500n, 9n), fee(500n, 5n), most)).toBeNull()
})
