/**
 * `twinlock attest explain`: why a quote is accepted or refused, for anybody's quote. The root comes from the caller of
 * the program, which is Intel's in production; the rest is files and one collateral service.
 */
import { parseArgs } from "node:util"
import { type CollateralBundle, parseCollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import type { ExplainOptions, Explanation, Verdict } from "@twinlock/sdk/attestation/explain"
import type { ExplainPolicy } from "@twinlock/sdk/attestation/explainPolicy"
import { assertNever, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type CollateralPlatform, fetchCollateral, type TcbSet } from "../attestation/pccs.ts"
import { platformOf } from "../attestation/quotePlatform.ts"
import { withAdvice } from "./explainAdvice.ts"
import { parsePolicyFile } from "./explainPolicyFile.ts"
import { describeExplanation } from "./explainText.ts"
import { parseQuoteFile } from "./quoteFile.ts"

export type ExplainErrorCode =
  | "EXPLAIN_USAGE"
  /** a file cannot be read. */
  | "EXPLAIN_FILE"

export const EXPLAIN_USAGE = `usage: twinlock attest explain QUOTE [--collateral FILE | --pccs URL]
                               [--policy FILE] [--config-document FILE]
                               [--compose FILE] [--at TIME] [--json]

  QUOTE              bytes, hex, or the JSON answer of a dstack guest agent; - for stdin
  --collateral FILE  JSON with pck_crl, tcb_info, qe_identity and their chains
  --pccs URL         collateral service; Intel's own where neither is given
  --policy FILE      JSON: statuses, outOfDateGraceDays, advisories, floors,
                     tdAttributes, xfam, ownerZero, images, composeHashes,
                     compose, providers, ppids, piids, reportData
  --config-document FILE
                     what mr_config_id of version 3 hashes, byte for byte
  --compose FILE     app-compose.json, byte for byte: it must be the one that
                     mr_config_id binds, and keep the policy's rules (compose)
  --at TIME          2026-08-13T12:00:00Z or unix seconds; now where absent
  --json             one JSON object instead of text

  exit code: 0 genuine and UpToDate, 3 genuine with another status, 2 refused,
             1 wrong usage, or a file or service that does not answer`

/** Where Intel serves collateral. */
export const INTEL_PCS = "https://api.trustedservices.intel.com"
const TIMEOUT_MS = 30_000

export type ExplainDeps = {
  readonly explain: (quote: Uint8Array, options: ExplainOptions) => Explanation
  /** Contents of a file; of stdin for "-". */
  readonly read: (path: string) => Promise<Uint8Array>
  readonly fetchBundle?: (
    platform: CollateralPlatform,
    options: { readonly url: string; readonly timeoutMs: number; readonly set: TcbSet },
  ) => Promise<CollateralBundle>
  /** Unix seconds. */
  readonly now: () => number
  readonly out: (text: string) => void
  readonly columns: number
  readonly colour: boolean
}

const refuse = (code: ExplainErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })
const usage = (message: string): ProtocolError => refuse("EXPLAIN_USAGE", `${message}\n\n${EXPLAIN_USAGE}`)

type Arguments = {
  readonly quote: string
  readonly collateral: string | undefined
  readonly pccs: string
  readonly policy: string | undefined
  readonly configDocument: string | undefined
  readonly compose: string | undefined
  readonly at: number | null
  readonly json: boolean
}

/** Unix seconds, or ISO 8601 in UTC. */
function parseTime(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text)
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  // A day that its month does not have would be read as one of the next month.
  if (Number.isNaN(time) || !text.startsWith(new Date(time).toISOString().slice(0, 10)))
    throw usage(`--at wants 2026-08-13T12:00:00Z or unix seconds, got ${text}`)
  return Math.floor(time / 1000)
}

function parseUrl(text: string): string {
  const { protocol } = URL.parse(text) ?? {}
  if (protocol !== "https:" && protocol !== "http:") throw usage(`--pccs wants an http(s) URL, got ${text}`)
  return text
}

function parse(argv: readonly string[]): Arguments {
  let parsed: ReturnType<typeof parseOptions>
  try {
    parsed = parseOptions(argv)
  } catch (error) {
    throw usage(error instanceof Error ? error.message : "bad arguments")
  }
  const [quote, ...rest] = parsed.positionals
  const { collateral, pccs, policy, compose, at, json = false } = parsed.values
  if (quote === undefined || rest.length > 0)
    throw usage(`want one QUOTE, got ${parsed.positionals.join(" ") || "none"}`)
  if (collateral !== undefined && pccs !== undefined) throw usage("want --collateral or --pccs, not both")
  return {
    ...{ quote, collateral, policy, compose, json, configDocument: parsed.values["config-document"] },
    pccs: parseUrl(pccs ?? INTEL_PCS),
    at: at === undefined ? null : parseTime(at),
  }
}

const parseOptions = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    strict: true,
    allowPositionals: true,
    options: {
      collateral: { type: "string" },
      pccs: { type: "string" },
      policy: { type: "string" },
      "config-document": { type: "string" },
      compose: { type: "string" },
      at: { type: "string" },
      json: { type: "boolean" },
    },
  })

async function contents(path: string, { read }: ExplainDeps): Promise<Uint8Array> {
  try {
    return await read(path)
  } catch (error) {
    throw refuse("EXPLAIN_FILE", `cannot read ${path === "-" ? "stdin" : path}`, error)
  }
}

async function textOf(path: string, deps: ExplainDeps): Promise<string> {
  return Buffer.from(await contents(path, deps)).toString("utf8")
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refuse("EXPLAIN_FILE", `${path} is not JSON`, error)
  }
}

/** Null where the quote does not even say which collateral it needs: its diagnosis says why. */
async function collateralOf(
  quote: Uint8Array,
  { collateral, pccs }: Arguments,
  set: TcbSet,
  deps: ExplainDeps,
): Promise<CollateralBundle | null> {
  if (collateral !== undefined)
    return parseCollateralBundle(parseJson(await textOf(collateral, deps), collateral))
  let platform: CollateralPlatform
  try {
    platform = platformOf(quote)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return null
  }
  const { fetchBundle = fetchCollateral } = deps
  return fetchBundle(platform, { url: pccs, timeoutMs: TIMEOUT_MS, set })
}

const BELOW_FLOOR: readonly unknown[] = ["TCB_INFO_BELOW_FLOOR", "QE_IDENTITY_BELOW_FLOOR"]

/** The standard set lags behind: where a floor of the policy is above it, the early one may be there already. */
async function explained(
  quote: Uint8Array,
  given: Arguments,
  options: Omit<ExplainOptions, "collateral">,
  deps: ExplainDeps,
): Promise<Explanation> {
  const under = async (set: TcbSet) =>
    deps.explain(quote, { ...options, collateral: await collateralOf(quote, given, set, deps) })
  const first = await under("standard")
  if (given.collateral !== undefined || !BELOW_FLOOR.includes(first.failure?.code)) return first
  try {
    return await under("early")
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return first
  }
}

/** Absent where no path was given. */
async function bytesOf(path: string | undefined, deps: ExplainDeps): Promise<Uint8Array | undefined> {
  return path === undefined ? undefined : new Uint8Array(await contents(path, deps))
}

export function exitCodeOf(verdict: Verdict): 0 | 2 | 3 {
  switch (verdict) {
    case "up-to-date":
      return 0
    case "genuine":
      return 3
    case "refused":
      return 2
    default:
      return assertNever(verdict)
  }
}

/**
 * @param argv behind `attest explain`. @returns the exit code of the verdict.
 * @throws EXPLAIN_USAGE, EXPLAIN_FILE, QUOTE_FILE, POLICY_FILE, COLLATERAL_*
 */
export async function attestExplain(argv: readonly string[], deps: ExplainDeps): Promise<0 | 2 | 3> {
  const given = parse(argv)
  const { quote, eventLog } = parseQuoteFile(await contents(given.quote, deps))
  const policy: ExplainPolicy =
    given.policy === undefined ? {} : parsePolicyFile(await textOf(given.policy, deps))
  const configDocument = await bytesOf(given.configDocument, deps)
  const composeFile = await bytesOf(given.compose, deps)
  const options = {
    ...{ policy, time: given.at ?? deps.now() },
    ...(eventLog === null ? {} : { eventLog }),
    ...(configDocument && { configDocument }),
    ...(composeFile && { composeFile }),
  }
  const explanation = withAdvice(await explained(quote, given, options, deps))
  deps.out(given.json ? JSON.stringify(explanation, null, 2) : describeExplanation(explanation, deps))
  return exitCodeOf(explanation.verdict)
}
