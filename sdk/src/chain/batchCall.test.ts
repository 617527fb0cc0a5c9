import { readFileSync } from "node:fs"
import { join } from "node:path"
import solc from "solc"
import { expect, test } from "vitest"
import { BATCH_CALL } from "./batchCall.ts"

test("the code is that of batchCall.yul", () => {
  const content = readFileSync(join(import.meta.dirname, "batchCall.yul"), "utf8")
  const settings = {
    evmVersion: "shanghai",
    optimizer: { enabled: true, details: { yul: true } },
    outputSelection: { "*": { "*": ["evm.bytecode.object"] } },
  }
  const input = { language: "Yul", sources: { "batchCall.yul": { content } }, settings }
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input)))
  expect(`0x${contracts["batchCall.yul"].BatchCall.evm.bytecode.object}`).toBe(BATCH_CALL)
}, 60_000)
