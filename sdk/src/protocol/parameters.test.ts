import { id } from "ethers"
import { describe, expect, test } from "vitest"
import { tagHash } from "./codec.ts"
import { CURRENT_PARAMETERS, PARAMETER_SETS, parameterSet, parametersOf } from "./parameters.ts"

describe("parameter sets", () => {
  test("the first version goes by tfhe's name, each later one by a name of its own", () => {
    const sets = ["V1_8_META", "V1_8_META/2", "V1_8_META/13"].map((name) => parameterSet(name, "1.8.0"))
    expect(sets.map(({ version }) => version)).toEqual([1, 2, 13])
    expect(sets.map(({ hash }) => hash)).toEqual([id("V1_8_META"), id("V1_8_META/2"), id("V1_8_META/13")])
  })

  test("a crate that makes the same bytes is no other set", () => {
    const { name, hash } = CURRENT_PARAMETERS
    expect(parameterSet(name, "1.7.2").hash).toBe(hash)
  })

  test("are found by their hash, and others are not", () => {
    for (const set of PARAMETER_SETS) expect(parametersOf(set.hash)).toBe(set)
    expect(parametersOf(tagHash("unknown set"))).toBeNull()
    expect(new Set(PARAMETER_SETS.map(({ hash }) => hash)).size).toBe(PARAMETER_SETS.length)
  })
})
