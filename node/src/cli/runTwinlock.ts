/** Runs one command of `twinlock`. Whoever starts it brings the root of trust: production has exactly one. */
import { readFileSync } from "node:fs"
import { buffer } from "node:stream/consumers"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { attestExplain, EXPLAIN_USAGE, type ExplainDeps } from "./attestExplain.ts"
import { printable } from "./terminal.ts"
import { describeResult } from "./text.ts"
import { VERIFY_USAGE } from "./verifyUsage.ts"

const USAGE = `usage: twinlock verify-ceremony FILE [OPTIONS]
       twinlock judge-evidence FILE BUNDLE [--json]
       twinlock blame FILE [--json]
       twinlock attest explain QUOTE [OPTIONS]

${VERIFY_USAGE}

${EXPLAIN_USAGE}`

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

const isSystemError = (error: unknown): error is Error => error instanceof Error && "code" in error

const read = async (path: string): Promise<Uint8Array> =>
  path === "-" ? buffer(process.stdin) : readFileSync(path)

async function runJudge([file = "", bundle = ""]: readonly string[], json: boolean): Promise<number> {
  try {
    const [{ judgeEvidence }, { verifyBundle }] = await Promise.all([
      import("./judgeEvidence.ts"),
      import("../ceremony/verifyBundle.ts"),
    ])
    const result = judgeEvidence(readFileSync(file, "utf8"), verifyBundle(readFileSync(bundle)))
    say(json ? JSON.stringify(result) : describeResult(result))
    return 0
  } catch (error) {
    if (!isProtocolError(error) && !isSystemError(error)) throw error
    complain(error.message)
    return 1
  }
}

async function runBlame([file = ""]: readonly string[], json: boolean): Promise<number> {
  try {
    const [{ judgeBlameFile }, { describeBlame }] = await Promise.all([
      import("../ceremony/blame/nativeReplay.ts"),
      import("./blameText.ts"),
    ])
    const { file: judged, blame } = await judgeBlameFile(await read(file))
    say(
      json ? JSON.stringify({ keyId: judged.failed.keyId, ...blame }, null, 2) : describeBlame(judged, blame),
    )
    return 0
  } catch (error) {
    return failed(error)
  }
}

const terminal = () => ({
  columns: process.stdout.columns ?? 100,
  colour: process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined,
})

/** What goes wrong before there is a verdict: usage as it is, all else in one line. */
function failed(error: unknown): 1 {
  if (isProtocolError(error, "EXPLAIN_USAGE", "VERIFY_USAGE")) complain(error.detail.message)
  else complain(printable(error instanceof Error ? error.message : "unknown failure"))
  return 1
}

async function runVerify(argv: readonly string[], explain: ExplainDeps["explain"]): Promise<number> {
  try {
    // Loaded only when it is asked for: the ceremony brings the native addon.
    const [{ verifyCeremony }, { createNativeAudit }] = await Promise.all([
      import("./verifyCeremony.ts"),
      import("../ceremony/verify/nativeAudit.ts"),
    ])
    const keygens = [createNativeAudit()]
    return await verifyCeremony(argv, { explain, keygens, read, out: say, ...terminal() })
  } catch (error) {
    return failed(error)
  }
}

async function runExplain(argv: readonly string[], explain: ExplainDeps["explain"]): Promise<number> {
  try {
    return await attestExplain(argv, {
      ...{ explain, read, out: say },
      now: () => Math.floor(Date.now() / 1000),
      ...terminal(),
    })
  } catch (error) {
    return failed(error)
  }
}

/** @param argv without the program's name. @returns the exit code. */
export async function runTwinlock(argv: readonly string[], explain: ExplainDeps["explain"]): Promise<number> {
  const [command, ...rest] = argv
  if (command === "attest" && rest[0] === "explain") return runExplain(rest.slice(1), explain)
  if (command === "verify-ceremony") return runVerify(rest, explain)
  const json = rest.at(-1) === "--json"
  const files = json ? rest.slice(0, -1) : rest
  if (command === "blame" && files.length === 1) return runBlame(files, json)
  if (command === "judge-evidence" && files.length === 2) return runJudge(files, json)
  complain(USAGE)
  return command === "attest" ? 1 : 2
}
