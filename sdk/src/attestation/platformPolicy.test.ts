import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import type { Hex } from "../protocol/ids.ts"
import { ANY_PLATFORM, checkPlatformPolicy, type PlatformPolicy } from "./platformPolicy.ts"

const ppid: Hex = `0x${"a1".repeat(16)}`
const piid: Hex = `0x${"b2".repeat(16)}`
const other: Hex = `0x${"c3".repeat(16)}`

const capitals = (hex: Hex): Hex => `0x${hex.slice(2).toUpperCase()}`

test.each<[string, Partial<PlatformPolicy>, Hex | null, string]>([
  ["any platform", {}, piid, "none"],
  ["any platform without instance id", {}, null, "none"],
  ["an allowed platform", { allowedPpids: [other, ppid] }, piid, "none"],
  ["a platform that is not allowed", { allowedPpids: [other] }, piid, "POLICY_PPID"],
  ["no platform at all", { allowedPpids: [] }, piid, "POLICY_PPID"],
  ["a denied platform", { deniedPpids: [ppid] }, piid, "POLICY_PPID"],
  [
    "a platform that is allowed and denied",
    { allowedPpids: [ppid], deniedPpids: [ppid] },
    piid,
    "POLICY_PPID",
  ],
  ["a platform that is denied in capitals", { deniedPpids: [capitals(ppid)] }, piid, "POLICY_PPID"],
  ["an instance that is denied in capitals", { deniedPiids: [capitals(piid)] }, piid, "POLICY_PIID"],
  ["a platform that is allowed in capitals", { allowedPpids: [capitals(ppid)] }, piid, "none"],
  ["an allowed instance", { allowedPiids: [piid] }, piid, "none"],
  ["an instance that is not allowed", { allowedPiids: [other] }, piid, "POLICY_PIID"],
  ["a denied instance", { deniedPiids: [piid] }, piid, "POLICY_PIID"],
  ["an instance id that is required", { piid: "required" }, piid, "none"],
  ["a missing instance id that is required", { piid: "required" }, null, "POLICY_PIID"],
  ["a missing instance id where instances are listed", { allowedPiids: [piid] }, null, "POLICY_PIID"],
])("%s", (_, changed, instance, code) => {
  const policy = { ...ANY_PLATFORM, ...changed }
  expect(codeOf(() => checkPlatformPolicy({ ppid, piid: instance }, policy))).toBe(code)
})
