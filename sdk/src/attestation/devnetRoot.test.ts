import { createPlatform } from "@twinlock/devnet/platform/platform"
import { expect, test } from "vitest"
import { createDevnetQuoteVerifier } from "./devnetRoot.ts"
import { rootIdOf } from "./underRoot.ts"
import { INTEL_ROOT_ID } from "./verifyQuote.ts"

const platform = createPlatform({ seed: "devnet root", now: 1_791_158_400 })
const rootKey = platform.root.key.publicKey
const options = { chainId: 31337n, rootKey, contractRootId: rootIdOf(rootKey) }

test("a simulated platform is accepted on the development chain", () => {
  const verified = createDevnetQuoteVerifier(options).verify(platform.quote(), {
    collateral: platform.collateral(),
    time: platform.now,
    floors: { tcb: 0, qe: 0 },
  })
  expect(verified.status).toBe("UpToDate")
})

test.each([1n, 11155111n, 1337n])("chain %s refuses a simulated root", (chainId) => {
  expect(() => createDevnetQuoteVerifier({ ...options, chainId })).toThrow("DEVNET_ROOT_REFUSED")
})

test("the simulated root must be the one that the contract pins", () => {
  expect(() => createDevnetQuoteVerifier({ ...options, contractRootId: INTEL_ROOT_ID })).toThrow(
    "ROOT_MISMATCH",
  )
  expect(() => createDevnetQuoteVerifier({ ...options, rootKey: rootKey.slice(1) })).toThrow("has 64 bytes")
})
