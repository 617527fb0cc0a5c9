import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { RUNTIME_FLAGS } from "./runtime.ts"

test("the production entry starts the runtime with the same flags", () => {
  const [first] = readFileSync(join(import.meta.dirname, "twinlockNode.ts"), "utf8").split("\n")
  expect(first).toBe(`#!/usr/bin/env -S node ${RUNTIME_FLAGS.join(" ")}`)
})
