/** Runs one command of `twinlock`. Whoever starts it brings the root of trust: production has exactly one. */
import { readFileSync } from "node:fs"
import { buffer } from "node:stream/consumers"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { attestExplain, EXPLAIN_USAGE, type ExplainDeps } from "./attestExplain.ts"
import { printable } from "./terminal.ts"
import { describeResult } from "./text.ts"

const USAGE = `usage: twinlock verify-ceremony FILE [--json]
       twinlock attest explain QUOTE [OPTIONS]

${EXPLAIN_USAGE}`

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

const isSystemError = (error: unknown): error is Error => error instanceof Error && "code" in error

const read = async (path: string): Promise<Uint8Array> =>
  path === "-" ? buffer(process.stdin) : readFileSync(path)

/** Loads what a command needs only when it is asked for: the ceremony brings the native addon. */
async function runVerifyCeremony(file: string, json: boolean): Promise<number> {
  try {
    const { verifyCeremony } = await import("./verifyCeremony.ts")
    const result = verifyCeremony(readFileSync(file))
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
  const [command, file, ...rest] = argv
  if (command === "attest" && file === "explain") return runExplain(rest, explain)
  const json = rest[0] === "--json"
  if (command === "verify-ceremony" && file !== undefined && rest.length === (json ? 1 : 0))
    return runVerifyCeremony(file, json)
  complain(USAGE)
  return command === "attest" ? 1 : 2
}
