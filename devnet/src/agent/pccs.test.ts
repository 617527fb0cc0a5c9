import { fetchCollateral } from "@twinlock/node/attestation/pccs"
import { afterAll, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { createPlatform } from "../platform/platform.ts"
import { startPccs } from "./pccs.ts"

const NOW = 1_791_158_400
const servers = await Promise.all(
  (["platform", "processor"] as const).map(async (authority) => {
    const platform = createPlatform({ seed: "pccs", now: NOW, authority })
    const server = await startPccs({ collateral: () => platform.collateral(), host: "127.0.0.1", port: 0 })
    return { authority, platform, ...server }
  }),
)
afterAll(() => Promise.all(servers.map(({ stop }) => stop())))

test.each(servers)("the $authority CA's collateral is served, and no other's", async (server) => {
  const { authority, platform, url } = server
  const options = { url, timeoutMs: 5_000 }
  const fmspc = "b0c06f000000"
  expect(await fetchCollateral({ fmspc, authority }, options)).toEqual(platform.collateral())
  const other = authority === "platform" ? "processor" : "platform"
  expect(await rejectionCodeOf(() => fetchCollateral({ fmspc, authority: other }, options))).toBe(
    "COLLATERAL_RESPONSE",
  )
  expect(await rejectionCodeOf(() => fetchCollateral({ fmspc: "90c06f000000", authority }, options))).toBe(
    "COLLATERAL_RESPONSE",
  )
})
