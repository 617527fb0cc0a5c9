/** Runs one command of `twinlock`. Whoever starts it brings the root of trust: production has exactly one. */
import { readFileSync } from "node:fs"
import { buffer } from "node:stream/consumers"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { attestExplain, EXPLAIN_USAGE, type ExplainDeps } from "./attestExplain.ts"
import { printable } from "./terminal.ts"
import { describeResult } from "./text.ts"

const USAGE = `usage: twinlock verify-ceremony FILE [--json]
       twinlock judge-evidence FILE BUNDLE [--json]
       twinlock attest explain QUOTE [OPTIONS]

${EXPLAIN_USAGE}`

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

const isSystemError = (error: unknown): error is Error => error instanceof Error && "code" in error

const read = async (path: string): Promise<Uint8Array> =>
  path === "-" ? buffer(process.stdin) : readFileSync(path)

/** Loads what a command needs only when it is asked for: the ceremony brings the native addon. */
const verdicts = {
  async "verify-ceremony"([file = ""]) {
    const { verifyCeremony } = await import("./verifyCeremony.ts")
    return verifyCeremony(readFileSync(file))
  },
  async "judge-evidence"([file = "", bundle = ""]) {
    const [{ judgeEvidence }, { verifyBundle }] = await Promise.all([
      import("./judgeEvidence.ts"),
      import("../ceremony/verifyBundle.ts"),
    ])
    return judgeEvidence(readFileSync(file, "utf8"), verifyBundle(readFileSync(bundle)))
  },
} satisfies Record<string, (files: readonly string[]) => Promise<Readonly<Record<string, unknown>>>>
/** Files that a command takes. */
const FILES = { "verify-ceremony": 1, "judge-evidence": 2 } as const

async function runVerdict(
  command: keyof typeof FILES,
  files: readonly string[],
  json: boolean,
): Promise<number> {
  try {
    const result = await verdicts[command](files)
    say(json ? JSON.stringify(result) : describeResult(result))
    return 0
  } catch (error) {
    if (!isProtocolError(error) && !isSystemError(error)) throw error
    complain(error.message)
    return 1
  }
}

async function runExplain(argv: readonly string[], explain: ExplainDeps["explain"]): Promise<number> {
  const { stdout, env } = process
  try {
    return await attestExplain(argv, {
      ...{ explain, read, out: say },
      now: () => Math.floor(Date.now() / 1000),
      columns: stdout.columns ?? 100,
      colour: stdout.isTTY === true && env["NO_COLOR"] === undefined,
    })
  } catch (error) {
    if (isProtocolError(error) && error.detail.code === "EXPLAIN_USAGE") complain(error.detail.message)
    else complain(printable(error instanceof Error ? error.message : "unknown failure"))
    return 1
  }
}

/** @param argv without the program's name. @returns the exit code. */
export async function runTwinlock(argv: readonly string[], explain: ExplainDeps["explain"]): Promise<number> {
  const [command, ...rest] = argv
  if (command === "attest" && rest[0] === "explain") return runExplain(rest.slice(1), explain)
  const json = rest.at(-1) === "--json"
  const files = json ? rest.slice(0, -1) : rest
  if ((command === "verify-ceremony" || command === "judge-evidence") && files.length === FILES[command])
    return runVerdict(command, files, json)
  complain(USAGE)
  return command === "attest" ? 1 : 2
}
