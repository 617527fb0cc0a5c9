import { toPem } from "@twinlock/devnet/platform/pki"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { expect, test } from "vitest"
import { parsePemChain } from "./pem.ts"

const platform = createPlatform({ seed: "pem", now: 1_791_158_400 })
const [one, two] = [toPem(platform.rootCertificate), toPem(platform.platformCaCertificate)]

test("certificates come back in order, with and without the NUL byte of quotes", () => {
  const want = [platform.rootCertificate, platform.platformCaCertificate]
  expect(parsePemChain(one + two)).toEqual(want)
  expect(parsePemChain(`${one}${two}\0`)).toEqual(want)
  expect(parsePemChain((one + two).replaceAll("\n", "\r\n"))).toEqual(want)
})

test.each([
  ["nothing", "", "no certificate at all"],
  ["text before", `x${one}`, "no certificate block at character 0"],
  ["text between", `${one}x${two}`, "no certificate block"],
  ["text after", `${one}x`, "no certificate block"],
  ["two NUL bytes", `${one}\0\0`, "no certificate block"],
  ["four certificates", one + two + one + two, "more than 3"],
  ["another block", one.replaceAll("CERTIFICATE", "PRIVATE KEY"), "no certificate block"],
  ["broken base64", "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n", "not base64"],
  ["unused bits", "-----BEGIN CERTIFICATE-----\nAB==\n-----END CERTIFICATE-----\n", "not base64"],
  ["missing padding", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n", "not base64"],
])("%s is refused", (_, text, message) => {
  expect(() => parsePemChain(text)).toThrow(message)
})
