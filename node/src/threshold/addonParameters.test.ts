import { readFileSync } from "node:fs"
import { CURRENT_PARAMETERS, PARAMETER_SETS } from "@twinlock/sdk/protocol/parameters"
import { describe, expect, test } from "vitest"
import { TOY_PARAMETERS } from "../ceremony/party.fixture.ts"
import { addonParameters } from "./addonParameters.ts"
import { createSelfTestEngine, nativeEngine } from "./nativeEngine.ts"

const manifest = readFileSync(new URL("../../native/Cargo.toml", import.meta.url), "utf8")

describe("the addon's parameter set", () => {
  test("is the one that SDK and contracts go by, of the pinned crate", () => {
    expect(addonParameters()).toEqual(CURRENT_PARAMETERS)
    expect(manifest).toContain(`tfhe = { version = "=${CURRENT_PARAMETERS.tfhe}"`)
  })

  test("is that of every engine made of the addon", () => {
    const judge = createSelfTestEngine(async () => {
      throw new Error("no key is loaded")
    })
    expect([nativeEngine.parametersHash, judge.parametersHash]).toEqual([
      CURRENT_PARAMETERS.hash,
      CURRENT_PARAMETERS.hash,
    ])
  })

  test("is not one of tests", () => {
    expect(PARAMETER_SETS.map(({ hash }) => hash)).not.toContain(TOY_PARAMETERS.hash)
  })
})
