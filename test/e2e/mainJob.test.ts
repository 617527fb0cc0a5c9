/**
 * The main job end to end on real processes, real keys and real ciphertexts: what `npm start` shows, without its prints.
 * State is kept between runs under .cache, so that a second run also tests a warm start.
 */
import { spawnSync } from "node:child_process"
import { statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { runDemo } from "@twinlock/devnet/demo/demo"
import { createReport, type ReportJson, versionsOf } from "@twinlock/devnet/demo/report"
import { createSetting } from "@twinlock/devnet/demo/setting"
import type { DevNetwork } from "@twinlock/devnet/network/devNetwork"
import { pathsOf } from "@twinlock/devnet/network/layout"
import { startNetwork } from "@twinlock/devnet/network/network"
import { createProcesses } from "@twinlock/devnet/network/processes"
import { markAtRest, markInUse } from "@twinlock/devnet/network/state"
import type { CeremonyAudit } from "@twinlock/node/cli/verifyCeremony"
import { deploymentToJson } from "@twinlock/sdk/chain/deployments"
import { afterAll, beforeAll, expect, test } from "vitest"

const root = join(import.meta.dirname, "..", "..")
const paths = pathsOf(root, join(root, ".cache", "e2e-network"))
const processes = createProcesses(paths.logs)
let json: ReportJson
let network: DevNetwork
/** Whether this run made the network. */
let created: boolean

beforeAll(async () => {
  const lines: string[] = []
  const begun = Date.now()
  const report = createReport({
    write: (text) => void lines.push(text),
    interactive: false,
    versions: versionsOf(pathToFileURL(`${root}/`)),
    now: () => performance.now(),
  })
  try {
    network = await startNetwork({ paths, processes, report, signal: new AbortController().signal })
    created = statSync(paths.state).mtimeMs > begun
    const setting = createSetting(network, report)
    markInUse(paths)
    await runDemo(setting)
    markAtRest(paths)
    await setting.prover.stop()
  } catch (error) {
    throw new Error(`${lines.join("")}\nlogs: ${paths.logs}`, { cause: error })
  }
  json = report.toJson()
})

afterAll(() => processes.stopAll())

const CHECKS = [
  "network.key-id",
  "network.host-binding",
  "network.parameters",
  "network.digests",
  "network.committee",
  "network.seats-live",
  "network.executors-live",
  "input.tampered",
  "input.copied",
  "commitments.equal",
  "tally",
  "user.own",
  "user.other",
  "refusal.acl",
  "refusal.commitment",
  "refusal.lifted",
  "fault.crash",
  "fault.back",
  "fault.liar_harmless",
  "fault.liar_named",
  "lock.genuine",
  "lock.altered_plaintext",
  "lock.no_group_signature",
  "lock.no_standing",
  "lock.standing_restored",
] as const

test.each(CHECKS)("%s", (name) => {
  const check = json.checks.find((candidate) => candidate.name === name)
  expect(check).toEqual({ name, ok: true, detail: check?.detail })
})

test("nothing else failed, and no process ended unasked", () => {
  expect(json.checks.filter(({ ok }) => !ok)).toEqual([])
  expect(processes.casualties()).toEqual([])
})

/** The deployment as a dApp pins it. */
function pinned(): string {
  const path = join(paths.logs, "pinned.json")
  writeFileSync(path, JSON.stringify(deploymentToJson(network.deployment)))
  return path
}

test.each<readonly [string, () => readonly string[]]>([
  ["as written, offline", () => []],
  ["as written, down to the published chunks", () => ["--chunks", network.coordinatorUrl]],
  ["by the chain's word", () => ["--rpc", network.chain.url, "--deployment", pinned()]],
])("the transcript of the key holds %s", (_, options) => {
  const { member } = network.keyholders[0] ?? never()
  const bundle = join(paths.data(member), "transcripts", `${network.keyId.slice(2)}.bundle`)
  const program = join(root, "devnet", "src", "twinlock.ts")
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [program, network.rootKey, "verify-ceremony", bundle, ...options(), "--json"],
    { encoding: "utf8" },
  )
  expect(stderr).toBe("")
  const { steps } = JSON.parse(stdout) as CeremonyAudit
  const asked = options().includes("--rpc")
  // The local chain keeps no states of blocks from before its last start.
  const forgotten = asked && !created
  const wanted = (id: string): string => {
    if (id === "chain" && asked) return forgotten ? "unreachable" : "passed"
    if (id === "policy") return asked ? "passed" : "not-checked"
    if (id === "published") return options().includes("--chunks") ? "passed" : "not-checked"
    return id === "chain" ? "not-checked" : "passed"
  }
  for (const step of steps) expect([step, step.status]).toEqual([step, wanted(step.id)])
  if (asked) expect(status).toBe(forgotten ? 1 : 0)
  else expect(status).toBe(3)
})

test("gas stays within what the design promises", () => {
  expect(json.gas["accept"]).toBeLessThanOrEqual(40_000)
  expect(json.gas["quote_register"]).toBeLessThanOrEqual(380_000)
  expect(json.gas["quote_renew"]).toBeLessThanOrEqual(240_000)
})

function never(): never {
  throw new Error("no keyholder")
}
