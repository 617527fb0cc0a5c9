/** Checklist lines 10 to 12: the registry and a peer's appraisal of the same registration agree. */
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { REGISTRY_CHECKLIST, type RegistryLine, registrationCases } from "./corpus/registration.ts"
import { rootKeyOf } from "./courts.ts"
import { judgeRegistration } from "./registrationVerdicts.ts"
import { openSimulatedChain, type SimulatedChain } from "./simulatedChain.ts"

let chain: SimulatedChain
beforeAll(async () => {
  chain = await openSimulatedChain({ chainId: 31_337, rootKey: rootKeyOf("simulator") })
})
afterAll(() => chain.stop())

describe.each(Object.keys(REGISTRY_CHECKLIST) as readonly RegistryLine[])("line %s", (line) => {
  const cases = registrationCases.filter((item) => item.line === line)
  test("has cases that are accepted and cases that are refused", () => {
    expect(new Set(cases.map(({ refusal }) => refusal === null))).toEqual(new Set([true, false]))
  })
  test.each(cases)("$name", async (item) => {
    const { code = null, error = null } = item.refusal ?? {}
    expect(await judgeRegistration(chain, item)).toEqual({ peer: code, registry: error })
  })
})
