/**
 * `twinlock verify-ceremony`: judges the transcript of a key in named steps. The root of trust of the quotes comes from the
 * caller of the program, which is Intel's in production; the rest is files and, where given, a chain and a blob store.
 */
import { parseArgs } from "node:util"
import type { ExplainOptions, Explanation } from "@twinlock/sdk/attestation/explain"
import { parseDeployment } from "@twinlock/sdk/chain/deployments"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { assertNever, ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { CeremonyBundle } from "../ceremony/bundle.ts"
import {
  type AuditOptions,
  type AuditReport,
  type AuditVerdict,
  auditCeremony,
} from "../ceremony/verify/auditCeremony.ts"
import type { KeygenAudit } from "../ceremony/verify/keygenAudit.ts"
import type { CeremonyPolicy } from "../ceremony/verify/policy.ts"
import { createStandingJudge, type StandingJudge } from "../ceremony/verify/quotes.ts"
import { parseCeremonyPolicy } from "./ceremonyPolicyFile.ts"
import { chainAudit } from "./chainAudit.ts"
import { publishedFiles } from "./publishedFiles.ts"
import { parseStrict } from "./strictFile.ts"
import { describeAudit } from "./verifyCeremonyText.ts"
import { VERIFY_USAGE } from "./verifyUsage.ts"

export type VerifyCeremonyErrorCode =
  | "VERIFY_USAGE"
  /** a file cannot be read, or is no deployment. */
  | "VERIFY_FILE"

export type VerifyCeremonyDeps = {
  readonly explain: (quote: Uint8Array, options: ExplainOptions) => Explanation
  /** Contents of a file; of stdin for "-". */
  readonly read: (path: string) => Promise<Uint8Array>
  /** Parameter sets that this program knows. */
  readonly keygens: readonly KeygenAudit[]
  /** By quotes under the caller's root where absent. */
  readonly standing?: StandingJudge
  readonly out: (text: string) => void
  readonly columns: number
  readonly colour: boolean
}

const refuse = (code: VerifyCeremonyErrorCode, message: string, cause?: unknown): ProtocolError =>
  new ProtocolError({ code, message }, { cause })
const usage = (message: string): ProtocolError => refuse("VERIFY_USAGE", `${message}\n\n${VERIFY_USAGE}`)

type Arguments = {
  readonly file: string
  readonly policy: string | undefined
  readonly deployment: string | undefined
  readonly chunks: string | undefined
  readonly rpc: readonly string[]
  readonly json: boolean
}

const parseOptions = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    strict: true,
    allowPositionals: true,
    options: {
      policy: { type: "string" },
      deployment: { type: "string" },
      chunks: { type: "string" },
      rpc: { type: "string", multiple: true },
      json: { type: "boolean" },
    },
  })

function parse(argv: readonly string[]): Arguments {
  let parsed: ReturnType<typeof parseOptions>
  try {
    parsed = parseOptions(argv)
  } catch (error) {
    throw usage(error instanceof Error ? error.message : "bad arguments")
  }
  const [file, ...rest] = parsed.positionals
  const { policy, deployment, chunks, rpc = [], json = false } = parsed.values
  if (file === undefined || rest.length > 0)
    throw usage(`want one FILE, got ${parsed.positionals.join(" ") || "none"}`)
  for (const url of rpc) {
    const { protocol } = URL.parse(url) ?? {}
    if (protocol !== "https:" && protocol !== "http:") throw usage(`--rpc wants an http(s) URL, got ${url}`)
  }
  return { file, policy, deployment, chunks, rpc, json }
}

async function contents(path: string, { read }: VerifyCeremonyDeps): Promise<Uint8Array> {
  try {
    return await read(path)
  } catch (error) {
    throw refuse("VERIFY_FILE", `cannot read ${path === "-" ? "stdin" : path}`, error)
  }
}

const textOf = async (path: string, deps: VerifyCeremonyDeps): Promise<string> =>
  Buffer.from(await contents(path, deps)).toString("utf8")

async function deploymentOf(path: string | undefined, deps: VerifyCeremonyDeps): Promise<CeremonyPolicy> {
  if (path === undefined) return {}
  const json = parseStrict(await textOf(path, deps), (reason) => refuse("VERIFY_FILE", `${path}: ${reason}`))
  const { chainId, decryptionVerifier, coprocessor, decryptionGateway } = parseDeployment(json)
  return { chainId, verifyingContract: decryptionVerifier, coprocessor, gateway: decryptionGateway }
}

/** @throws VERIFY_USAGE where the two disagree */
function joined(one: CeremonyPolicy, other: CeremonyPolicy): CeremonyPolicy | null {
  const both = { ...one, ...other }
  for (const name of Object.keys(one) as (keyof CeremonyPolicy)[])
    if (other[name] !== undefined && String(other[name]) !== String(one[name]))
      throw usage(`policy and deployment name another ${name}`)
  return Object.keys(both).length === 0 ? null : both
}

/** @throws VERIFY_USAGE where no contract is named: the transcript's own may be one that its maker deployed */
function chainOf(urls: readonly string[], expected: CeremonyPolicy | null): AuditOptions["chain"] {
  if (urls.length === 0) return null
  const contract = expected?.verifyingContract
  if (contract === undefined)
    throw usage("--rpc needs a contract that you trust: --deployment, or a policy with verifyingContract")
  return (bundle) => chainAudit(urls, contract, bundle)
}

/** What a program wants to know of a bundle; integers beyond 53 bits as text. */
function factsOf({ keyId, proposal, signing, signed }: CeremonyBundle) {
  const { epoch, publicKeyDigest, serverKeyDigest, crsDigest, transcriptDigest, groupX, groupV } =
    signed.activation
  return {
    ...{ keyId, epoch },
    ...{ chainId: `${signing.chainId}`, verifyingContract: signing.verifyingContract },
    ...{ n: proposal.n, t: proposal.t, k: proposal.k },
    ...{ parties: proposal.parties, executors: proposal.executors },
    ...{ publicKeyDigest, serverKeyDigest, crsDigest, transcriptDigest },
    groupX: toHex(Buffer.from(groupX.toString(16).padStart(64, "0"), "hex")),
    groupV,
  }
}
export type CeremonyFacts = ReturnType<typeof factsOf>
export type CeremonyAudit = Omit<AuditReport, "bundle"> & {
  /** As written: of a refused transcript they prove nothing. Null where the file is no bundle. */
  readonly key: CeremonyFacts | null
}

export type VerifyExitCode = 0 | 1 | 2 | 3

export function exitCodeOf(verdict: AuditVerdict): VerifyExitCode {
  switch (verdict) {
    case "holds":
      return 0
    case "unreachable":
      return 1
    case "refused":
      return 2
    case "holds-as-written":
      return 3
    default:
      return assertNever(verdict)
  }
}

/**
 * @param argv behind `verify-ceremony`. @returns the exit code of the verdict.
 * @throws VERIFY_USAGE, VERIFY_FILE, CEREMONY_POLICY, POLICY_FILE, BAD_DEPLOYMENT, BAD_ADDRESS
 */
export async function verifyCeremony(
  argv: readonly string[],
  deps: VerifyCeremonyDeps,
): Promise<VerifyExitCode> {
  const given = parse(argv)
  const policy =
    given.policy === undefined
      ? { key: {}, quotes: {} }
      : parseCeremonyPolicy(await textOf(given.policy, deps))
  const expected = joined(policy.key, await deploymentOf(given.deployment, deps))
  const { images, composeHashes, providers } = policy.quotes
  const { bundle, ...report } = await auditCeremony(await contents(given.file, deps), {
    keygens: deps.keygens,
    standing: deps.standing ?? createStandingJudge(deps.explain, policy.quotes),
    policy: expected,
    namesCode: [images, composeHashes, providers].every((list) => list !== undefined),
    chain: chainOf(given.rpc, expected),
    files: given.chunks === undefined ? null : publishedFiles(given.chunks),
  })
  const audit: CeremonyAudit = { ...report, key: bundle === null ? null : factsOf(bundle) }
  deps.out(given.json ? JSON.stringify(audit, null, 2) : describeAudit(audit, deps))
  return exitCodeOf(audit.verdict)
}
