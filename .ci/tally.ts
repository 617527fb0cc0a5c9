/** Reads the counts out of the three test runners' reports. */
export type Tally = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly failures: readonly string[]
}

const nothing: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] }

/** Null for what is no JSON: a runner that broke before its report counts as nothing run. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** @param text vitest's JSON report; an empty or broken one counts as nothing run. */
export function parseVitest(text: string): Tally {
  const report = parseJson(text) as {
    numPassedTests: number
    numFailedTests: number
    numPendingTests: number
    numTodoTests: number
    numFailedTestSuites: number
    success: boolean
  } | null
  if (report === null) return nothing
  const failed =
    report.numFailedTests + (report.success || report.numFailedTests > 0 ? 0 : report.numFailedTestSuites)
  return {
    passed: report.numPassedTests,
    failed,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [],
  }
}

/** @param text output of `forge test --json`: suites by name, tests by signature. */
export function parseForge(text: string): Tally {
  const start = text.indexOf("{")
  if (start < 0) return nothing
  type Suite = {
    readonly test_results: Record<string, { readonly status: string; readonly reason?: string | null }>
  }
  const suites = (parseJson(text.slice(start)) ?? {}) as Record<string, Suite>
  let passed = 0
  let skipped = 0
  const failures: string[] = []
  for (const [suite, { test_results }] of Object.entries(suites)) {
    for (const [test, { status, reason }] of Object.entries(test_results)) {
      if (status === "Success") passed++
      else if (status === "Skipped") skipped++
      else failures.push(`${suite} ${test}: ${reason ?? status}`)
    }
  }
  return { passed, failed: failures.length, skipped, failures }
}

/** @param text standard output of `cargo test`: one "test result:" line per binary. */
export function parseCargo(text: string): Tally {
  let passed = 0
  let failed = 0
  let skipped = 0
  for (const line of text.matchAll(/test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/g)) {
    passed += Number(line[1])
    failed += Number(line[2])
    skipped += Number(line[3])
  }
  return { passed, failed, skipped, failures: [] }
}
