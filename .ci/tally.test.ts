import { expect, test } from "vitest"
import { parseCargo, parseForge, parseVitest } from "./tally.ts"

test("cargo: results of several binaries are summed", () => {
  const text =
    "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\n…\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured"
  expect(parseCargo(text)).toMatchObject({ passed: 5, failed: 1, skipped: 1 })
})

test("forge: failures are named, skips are not passes", () => {
  const text = JSON.stringify({
    "test/A.t.sol:A": {
      test_results: { "test_a()": { status: "Success" }, "test_b()": { status: "Failure", reason: "boom" } },
    },
    "test/B.t.sol:B": { test_results: { "test_c()": { status: "Skipped" } } },
  })
  expect(parseForge(text)).toEqual({
    passed: 1,
    failed: 1,
    skipped: 1,
    failures: ["test/A.t.sol:A test_b(): boom"],
  })
})

test("vitest: a suite that fails to load counts, an absent report counts as nothing", () => {
  const report = {
    numPassedTests: 4,
    numFailedTests: 0,
    numPendingTests: 1,
    numTodoTests: 0,
    numFailedTestSuites: 1,
    success: false,
  }
  expect(parseVitest(JSON.stringify(report))).toMatchObject({ passed: 4, failed: 1, skipped: 1 })
  expect(parseVitest("")).toMatchObject({ passed: 0, failed: 0 })
})

test("output that is no report counts as nothing run", () => {
  expect(parseForge("Error: Compiler run failed {solc}")).toMatchObject({ passed: 0, failed: 0 })
  expect(parseVitest("{")).toMatchObject({ passed: 0, failed: 0 })
})
