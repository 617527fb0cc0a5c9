import { expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { fakeDeployment } from "../../../test/support/fakeChain.ts"
import { deploymentToJson, handleDomainOf, parseDeployment, signingDomainOf } from "./deployments.ts"

const json = deploymentToJson(fakeDeployment)

test("a deployment survives JSON", () => {
  expect(parseDeployment(JSON.parse(JSON.stringify(json)))).toEqual(fakeDeployment)
})

test.each([
  [null, "BAD_DEPLOYMENT"],
  ["x", "BAD_DEPLOYMENT"],
  [{}, "BAD_DEPLOYMENT"],
  [{ ...json, chainId: 31337 }, "BAD_DEPLOYMENT"],
  [{ ...json, chainId: "0x1" }, "BAD_DEPLOYMENT"],
  [{ ...json, startBlock: "-1" }, "BAD_DEPLOYMENT"],
  [{ ...json, coprocessor: "0x12" }, "BAD_ADDRESS"],
])("%j is refused", (bad, code) => {
  expect(codeOf(() => parseDeployment(bad))).toBe(code)
})

test("typed data is verified by the verifier, handles belong to the coprocessor", () => {
  expect(signingDomainOf(fakeDeployment).verifyingContract).toBe(fakeDeployment.decryptionVerifier)
  expect(handleDomainOf(fakeDeployment).coprocessor).toBe(fakeDeployment.coprocessor)
})
