import { describe, expect, test } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { fakeTfhe } from "../../../test/support/fakeTfhe.ts"
import { utf8ToBytes } from "../protocol/codec.ts"
import { checkInputs, proveInputs } from "./ciphertext.ts"
import type { ClearValue } from "./clearValue.ts"
import { loadNodeTfhe, type Tfhe } from "./load.ts"

const job = (...values: ClearValue[]) => ({
  publicKey: utf8ToBytes("pk"),
  crs: utf8ToBytes("crs"),
  metadata: utf8ToBytes("metadata"),
  values,
})

describe("proveInputs", () => {
  test("pushes every value by its type, in order, with the proof's load and the metadata", () => {
    const { tfhe, open } = fakeTfhe()
    const list = proveInputs(
      tfhe,
      job(
        { type: "bool", value: true },
        { type: "uint4", value: 15 },
        { type: "uint8", value: 2n },
        { type: "uint16", value: 3 },
        { type: "uint32", value: 4 },
        { type: "uint64", value: 5 },
        { type: "uint128", value: 6 },
        { type: "uint160", value: 7n },
        { type: "uint256", value: 8n },
      ),
    )
    expect(new TextDecoder().decode(list)).toBe(
      "load=0 bool:true u4:15 u8:2 u16:3 u32:4 u64:5 u128:6 u160:7 u256:8 metadata",
    )
    expect(open()).toBe(0)
  })

  test("frees the library's memory after a failure, too", () => {
    const { tfhe, open } = fakeTfhe()
    const broken = { ...job({ type: "bool", value: true }), crs: new Uint8Array() }
    expect(codeOf(() => proveInputs(tfhe, broken))).toBe("PROOF_FAILED")
    expect(open()).toBe(0)
  })

  test("refuses what the library would wrap or split silently", () => {
    const { tfhe } = fakeTfhe()
    expect(codeOf(() => proveInputs(tfhe, job({ type: "uint8", value: 300 })))).toBe("VALUE_OUT_OF_RANGE")
    expect(codeOf(() => proveInputs(tfhe, job()))).toBe("INPUT_SIZE")
    const wide = (count: number): ClearValue[] => Array(count).fill({ type: "uint256", value: 1n })
    expect(checkInputs(wide(8))).toHaveLength(8)
    expect(codeOf(() => checkInputs(wide(9)))).toBe("INPUT_SIZE")
    const small = (count: number): ClearValue[] => Array(count).fill({ type: "bool", value: true })
    expect(checkInputs(small(32))).toHaveLength(32)
    expect(codeOf(() => checkInputs(small(33)))).toBe("INPUT_SIZE")
  })
})

describe("the real library", () => {
  test("fits the seam", async () => {
    const tfhe: Tfhe = await loadNodeTfhe()
    const declared: Tfhe = await import("node-tfhe")
    expect(tfhe.ZkComputeLoad.Proof).toBe(0)
    expect(declared.ZkComputeLoad.Proof).toBe(0)
    const methods = ["boolean", "u4", "u8", "u16", "u32", "u64", "u128", "u160", "u256"].map(
      (t) => `push_${t}`,
    )
    const module = tfhe as unknown as {
      readonly CompactCiphertextListBuilder: { readonly prototype: object }
    }
    const { prototype } = module.CompactCiphertextListBuilder
    for (const method of [...methods, "build_with_proof_packed"]) expect(prototype).toHaveProperty(method)
  })

  test("refuses garbage with a typed error", async () => {
    const tfhe = await loadNodeTfhe()
    expect(codeOf(() => proveInputs(tfhe, job({ type: "bool", value: true })))).toBe("PROOF_FAILED")
  })
})
