import { toHex } from "@twinlock/sdk/protocol/codec"
import { parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { codeOf } from "../../../../test/support/codeOf.ts"
import { generateFrostGroup } from "../../../../test/support/frostGroup.ts"
import { seededRng } from "../../../../test/support/seededRng.ts"
import { createManualClock } from "../../clock.ts"
import { createNoncePool } from "./noncePool.ts"

const keyShare = generateFrostGroup(4, 1, "pool").keyShares.get(parsePartyIndex(1, 4))
if (keyShare === undefined) throw new Error("no share")

test("nonces leave once, and are gone then", () => {
  const pool = createNoncePool(keyShare, seededRng("once"))
  const pair = pool.fresh()
  expect(pool.holds(pair)).toBe(true)
  expect(pool.take(pair)).not.toBe(null)
  expect(pool.holds(pair)).toBe(false)
  expect(pool.take(pair)).toBe(null)
  expect(pool.take(new Uint8Array(66))).toBe(null)
})

test("the oldest handed-out pairs go first, and their nonces are wiped", () => {
  const pool = createNoncePool(keyShare, seededRng("bound"), { capacity: 2 })
  const pairs = [pool.fresh(), pool.fresh(), pool.fresh()]
  expect(pairs.map((pair) => pool.holds(pair))).toEqual([false, true, true])
})

test("pairs are made ahead of time, one a step, from the first use on, and not beyond the stock", () => {
  const clock = createManualClock()
  let drawn = 0
  const rng = seededRng("stock")
  const counted = (length: number) => {
    drawn += 1
    return rng(length)
  }
  const pool = createNoncePool(keyShare, counted, { stock: { scheduler: clock, size: 3, stepMs: 10 } })
  clock.advance(1000)
  expect(drawn).toBe(0)
  pool.fresh()
  const each = drawn
  clock.advance(10)
  expect(drawn).toBe(2 * each)
  clock.advance(1000)
  expect(drawn).toBe(4 * each)
  const pairs = [pool.fresh(), pool.fresh(), pool.fresh()]
  expect(drawn).toBe(4 * each)
  expect(new Set(pairs.map(toHex)).size).toBe(3)
})

test("after wiping nothing is left, and nothing is made any more", () => {
  const clock = createManualClock()
  const pool = createNoncePool(keyShare, seededRng("wipe"), {
    stock: { scheduler: clock, size: 3, stepMs: 10 },
  })
  const pair = pool.fresh()
  const nonces = pool.take(pool.fresh())
  pool.wipe()
  expect(pool.holds(pair)).toBe(false)
  expect(clock.pending()).toEqual([])
  expect(codeOf(() => nonces?.consume())).toBe("none")
})
