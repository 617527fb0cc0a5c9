import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseRootKey } from "@twinlock/sdk/attestation/chain"
import { configIdOfDocument, encodeConfigDocument } from "@twinlock/sdk/attestation/configDocument"
import { type Explanation, explainQuote, explainUnder } from "@twinlock/sdk/attestation/explain"
import { isProtocolError, ProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { afterAll, describe, expect, test } from "vitest"
import { attestExplain, type ExplainDeps, INTEL_PCS } from "./attestExplain.ts"
import { parsePolicyFile } from "./explainPolicyFile.ts"
import { parseQuoteFile } from "./quoteFile.ts"
import { printable, wrap } from "./terminal.ts"

const NOW = 1_791_158_400
const platform = createPlatform({ seed: "attest explain", now: NOW })
const rootKey = parseRootKey(platform.root.key.publicKey)
const quote = platform.quote()
const good = platform.collateral()
const old = platform.collateral({
  qeLevels: [{ isvSvn: 1, status: "OutOfDate", advisories: ["INTEL-SA-1"] }],
})
const keys = createKeyService("attest explain")
const cvm = createCvm({
  platform,
  machine: "host0",
  role: "keyholder",
  compose: devnetCompose("keyholder", { keyProviderId: keys.rootKey }),
  keys,
})
const answer = {
  quote: Buffer.from(cvm.quote(new Uint8Array(64))).toString("hex"),
  event_log: JSON.stringify(cvm.events()),
}

const document = encodeConfigDocument({
  appId: "0x01",
  composeHash: parseDigest(`0x${"ab".repeat(32)}`),
  ...{ instanceId: "0x02", keyProvider: "kms", keyProviderId: "0x03" },
})

const files: Readonly<Record<string, string | Uint8Array>> = {
  "-": quote,
  "quote.bin": quote,
  "quote.hex": `0x${Buffer.from(quote).toString("hex")}\n`,
  "lines.hex": Buffer.from(quote).toString("hex").replace(/.{60}/g, "$&\n"),
  "answer.json": JSON.stringify(answer),
  "list.json": JSON.stringify({ ...answer, event_log: cvm.events() }),
  "cut.bin": quote.slice(0, 900),
  "good.json": JSON.stringify(good),
  "old.json": JSON.stringify(old),
  "v3.bin": platform.quote({ measurements: { mrConfigId: configIdOfDocument(document) } }),
  "document.json": document,
  "compose.json": JSON.stringify({ composeHashes: ["ab".repeat(32)] }),
  "strict.json": '{"statuses":["UpToDate"]}',
  "app-compose.json": cvm.compose,
  "rules.json": JSON.stringify({
    providers: [cvm.entry.providerId],
    compose: {
      ...{
        allowedEnvs: [],
        keyProvider: { kind: "kms", id: keys.rootKey },
        gateway: false,
        publicLogs: false,
      },
      ...{ publicSysinfo: false, publicTcbinfo: true, secureTime: true, instanceId: true },
      hostPaths: ["/var/run/dstack.sock"],
    },
  }),
  "machines.json": JSON.stringify({
    ...{ statuses: ["UpToDate"], outOfDateGraceDays: 1, advisories: [] },
    ...{ ppids: { denied: [] }, piids: { denied: [cvm.machine.piid] } },
  }),
  "floor.json": '{"floors":{"tcb":21,"qe":21}}',
  "deep.json": `{"quote":"00","event_log":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
  "twice.json": `{"quote":"00","event_log":[{"imr":0,"imr":3}]}`,
  "unknown.json": '{"status":["UpToDate"]}',
  empty: "",
}

type Ran = { readonly code: number | string; readonly out: string; readonly asked: readonly string[] }

/** The exit code, or the code of the error. */
async function run(argv: readonly string[], changes: Partial<ExplainDeps> = {}): Promise<Ran> {
  const asked: string[] = []
  let out = ""
  const deps: ExplainDeps = {
    explain: (bytes, options) => explainUnder(rootKey, bytes, options),
    read: async (path) => {
      const content = files[path]
      if (content === undefined) throw new Error("ENOENT")
      return Buffer.from(content)
    },
    fetchBundle: async ({ fmspc, authority }, { url }) => {
      asked.push(`${url} ${fmspc} ${authority}`)
      return good
    },
    now: () => NOW,
    out: (text) => {
      out += text
    },
    columns: 80,
    colour: false,
    ...changes,
  }
  const code = await attestExplain(argv, deps).catch((error: unknown) => {
    if (!isProtocolError(error)) throw error
    return error.detail.code
  })
  return { code, out, asked }
}

describe("exit codes", () => {
  test.each<[string, readonly string[], number | string]>([
    ["genuine and up to date", ["quote.bin", "--collateral", "good.json"], 0],
    ["genuine, but out of date", ["quote.bin", "--collateral", "old.json"], 3],
    [
      "within a policy that accepts it",
      ["quote.bin", "--collateral", "good.json", "--policy", "strict.json"],
      0,
    ],
    [
      "out of date under a strict policy",
      ["quote.bin", "--collateral", "old.json", "--policy", "strict.json"],
      2,
    ],
    ["collateral that has expired", ["quote.bin", "--collateral", "good.json", "--at", "2027-01-01"], 2],
    ["no quote at all", ["cut.bin"], 2],
    ["no argument", [], "EXPLAIN_USAGE"],
    ["two quotes", ["quote.bin", "quote.bin"], "EXPLAIN_USAGE"],
    ["an unknown option", ["quote.bin", "--yaml"], "EXPLAIN_USAGE"],
    ["two sources", ["quote.bin", "--collateral", "good.json", "--pccs", "http://x"], "EXPLAIN_USAGE"],
    ["a time of another kind", ["quote.bin", "--at", "yesterday"], "EXPLAIN_USAGE"],
    ["a source that is no URL", ["quote.bin", "--pccs", "ftp://x"], "EXPLAIN_USAGE"],
    ["a missing file", ["nothing.bin"], "EXPLAIN_FILE"],
    ["a missing collateral", ["quote.bin", "--collateral", "nothing.json"], "EXPLAIN_FILE"],
    ["collateral that is no JSON", ["quote.bin", "--collateral", "quote.bin"], "EXPLAIN_FILE"],
    ["collateral of another shape", ["quote.bin", "--collateral", "strict.json"], "COLLATERAL_SHAPE"],
    ["a policy with an unknown member", ["quote.bin", "--policy", "unknown.json"], "POLICY_FILE"],
    ["an empty file", ["empty"], "QUOTE_FILE"],
    ["a log without end", ["deep.json"], "QUOTE_FILE"],
    ["a log with a member twice", ["twice.json"], "QUOTE_FILE"],
    ["a day that no month has", ["quote.bin", "--at", "2026-02-31"], "EXPLAIN_USAGE"],
    ["its own compose file", ["answer.json", "--compose", "app-compose.json", "--policy", "rules.json"], 0],
    ["another compose file", ["answer.json", "--compose", "strict.json"], 2],
    ["rules without a compose file", ["answer.json", "--policy", "rules.json"], 2],
    ["a provider without an event log", ["quote.bin", "--policy", "rules.json"], 2],
    ["a denied instance", ["answer.json", "--policy", "machines.json"], 2],
    ["a document for version 1", ["answer.json", "--config-document", "document.json"], 2],
    ["another document", ["v3.bin", "--config-document", "strict.json"], 2],
    ["a document that is empty", ["quote.bin", "--config-document", "empty"], 2],
  ])("%s", async (_name, argv, code) => {
    expect((await run(argv)).code).toBe(code)
  })

  test("a revoked machine is genuine, and the text says what that means", async () => {
    const revoked = platform.collateral({ qeLevels: [{ isvSvn: 1, status: "Revoked" }] })
    const { code, out } = await run(["quote.bin"], { fetchBundle: async () => revoked })
    expect(code).toBe(3)
    expect(out).toContain("GENUINE, but Revoked: IT MUST NEVER BE ACCEPTED")
  })

  test("where a floor is above the standard set, the early one is asked for", async () => {
    const sets: unknown[] = []
    const serving = (early: () => typeof good) => ({
      fetchBundle: async (_: unknown, { set }: { readonly set: unknown }) => {
        sets.push(set)
        return set === "early" ? early() : good
      },
    })
    const newer = serving(() => platform.collateral({ evaluationNumber: 21 }))
    expect((await run(["quote.bin", "--policy", "floor.json"], newer)).code).toBe(0)
    expect(sets).toEqual(["standard", "early"])
    const silent = serving(() => {
      throw new ProtocolError({ code: "COLLATERAL_RESPONSE", message: "no such set" })
    })
    expect((await run(["quote.bin", "--policy", "floor.json"], silent)).out).toContain("BELOW_FLOOR")
    expect((await run(["quote.bin"], newer)).code).toBe(0)
    expect(sets).toEqual(["standard", "early", "standard", "early", "standard"])
  })

  test("a service that does not answer", async () => {
    const fetchBundle = () =>
      Promise.reject(new ProtocolError({ code: "COLLATERAL_UNREACHABLE", message: "no service" }))
    expect((await run(["quote.bin"], { fetchBundle })).code).toBe("COLLATERAL_UNREACHABLE")
  })

  test("Intel's root refuses a simulated machine", async () => {
    expect((await run(["quote.bin"], { explain: explainQuote })).out).toContain("REFUSED: ROOT_MISMATCH")
  })
})

describe("inputs", () => {
  test.each(["-", "quote.bin", "quote.hex", "lines.hex", "answer.json", "list.json"])(
    "a quote from %s",
    async (file) => {
      expect((await run([file])).code).toBe(0)
    },
  )

  test("the event log of a guest agent's answer is replayed", async () => {
    const { out } = await run(["answer.json", "--json"])
    expect((JSON.parse(out) as Explanation).boot?.composeHash).toBe(cvm.entry.composeHash)
  })

  test("Intel is asked by default, for the platform of the quote", async () => {
    expect((await run(["quote.bin"])).asked).toEqual([`${INTEL_PCS} b0c06f000000 platform`])
    expect((await run(["quote.bin", "--pccs", "http://127.0.0.1:1"])).asked[0]).toMatch(/^http:\/\/127/)
    expect((await run(["cut.bin"])).asked).toEqual([])
  })

  test("mr_config_id of version 3 binds a compose file through its document", async () => {
    const argv = ["v3.bin", "--policy", "compose.json"]
    expect((await run(argv)).out).toContain("CONFIG_DOCUMENT_MISSING")
    expect((await run([...argv, "--config-document", "document.json"])).code).toBe(0)
    expect((await run([...argv, "--config-document", "strict.json"])).code).toBe(2)
  })

  test("--json gives one object, always of the same members", async () => {
    const members = [
      ...["format", "rootId", "verdict", "failure", "status", "advisories", "time", "expiresAt"],
      ...["checks", "quote", "platform", "collateral", "boot"],
    ]
    for (const argv of [["answer.json"], ["quote.bin"], ["cut.bin"]]) {
      const explanation = JSON.parse((await run([...argv, "--json"])).out)
      expect(Object.keys(explanation)).toEqual(members)
      expect(Object.keys(explanation.checks[0])).toEqual([
        ...["id", "item", "title", "status", "expected", "found", "code", "reason", "advice"],
      ])
    }
  })

  test("every failure says what to do", async () => {
    const { checks, failure } = JSON.parse((await run(["answer.json", "--json", "--at", "2027-01-01"])).out)
    expect(failure.advice).toContain("--at")
    for (const { status, advice } of checks) expect(typeof advice === "string").toBe(status === "failed")
  })

  test.each(["1791158400", "2026-10-05T00:00:00Z", "2026-10-05"])("--at %s", async (at) => {
    const { out } = await run(["quote.bin", "--at", at, "--json"], { now: () => 0 })
    expect(JSON.parse(out)).toMatchObject({ time: NOW, verdict: "up-to-date" })
  })

  test.each<[string, string]>([
    ['{"quote":"zz"}', "no member"],
    ["{", "is none"],
  ])("%s is no quote", (text, reason) => {
    expect(() => parseQuoteFile(Buffer.from(text))).toThrow(reason)
  })
})

describe("the policy file", () => {
  test("every member is read, hex in any form", () => {
    const digest = "AB".repeat(32)
    expect(
      parsePolicyFile(
        JSON.stringify({
          statuses: ["UpToDate", "SWHardeningNeeded"],
          floors: { tcb: 20, qe: 19 },
          tdAttributes: ["0000001000000000"],
          xfam: { required: "0x0300000000000000", allowed: "0xe75a060000000000" },
          ownerZero: true,
          images: [digest],
          composeHashes: [`0x${digest}`],
          ppids: { denied: ["00".repeat(16)] },
          piids: { allowed: ["00".repeat(16)] },
          ...{ outOfDateGraceDays: 14, advisories: ["INTEL-SA-1"], providers: [digest] },
          reportData: "00".repeat(64),
        }),
      ),
    ).toEqual({
      statuses: ["UpToDate", "SWHardeningNeeded"],
      floors: { tcb: 20, qe: 19 },
      tdAttributes: ["0x0000001000000000"],
      xfam: { required: "0x0300000000000000", allowed: "0xe75a060000000000" },
      ownerZero: true,
      images: [`0x${digest.toLowerCase()}`],
      composeHashes: [`0x${digest.toLowerCase()}`],
      ppids: { denied: [`0x${"00".repeat(16)}`] },
      piids: { allowed: [`0x${"00".repeat(16)}`] },
      ...{ outOfDateGraceDays: 14, advisories: ["INTEL-SA-1"], providers: [`0x${digest.toLowerCase()}`] },
      reportData: `0x${"00".repeat(64)}`,
    })
  })

  test.each([
    ["no JSON", "not JSON"],
    ['{"statuses":["Fine"]}', "statuses.0"],
    ['{"floors":{"tcb":1}}', "floors.qe"],
    ['{"images":["0x12"]}', "images.0: want 32 bytes of hex"],
    ['{"ppids":{"alowed":[]}}', "alowed"],
    ["[]", "(root)"],
    ['{"statuses":["Revoked"]}', "statuses.0"],
    ['{"statuses":["UpToDate"],"statuses":["OutOfDate"]}', "stands twice"],
    ['{"outOfDateGraceDays":14}', "needs statuses"],
    ['{"ppids":{}}', "want allowed or denied"],
    ['{"compose":{"allowedEnvs":[]}}', "compose.keyProvider"],
    ["[".repeat(100_000), "deeper"],
    [`{"images":["${"0".repeat(2_000_000)}"]}`, "at most"],
  ])("%s is refused", (text, reason) => {
    expect(() => parsePolicyFile(text)).toThrow(reason)
  })
})

describe("text", () => {
  test.each([80, 100, 120, 500])("fits %i columns, and is plain without colour", async (columns) => {
    for (const argv of [["quote.bin"], ["cut.bin"], ["quote.bin", "--at", "2027-01-01"]]) {
      const { out } = await run(argv, { columns })
      expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(
        Math.min(columns, 120),
      )
      expect(out).not.toContain("\x1b")
    }
  })

  test("colours only where asked for", async () => {
    expect((await run(["quote.bin"], { colour: true })).out).toContain("\x1b[32m✓")
  })

  test("ends with the verdict, its reason and what to do", async () => {
    const { out } = await run(["quote.bin", "--at", "2027-01-01"])
    expect(out.slice(out.indexOf("REFUSED"))).toMatch(
      /^REFUSED: CRL_EXPIRED\n {2}judged at +2027-01-01T00:00:00Z\n {2}checks +\d+ passed, 3 failed, 2 not checked/,
    )
    expect(out.replace(/\s+/g, " ")).toContain(
      "valid until 2026-11-04T00:00:00Z, not at 2027-01-01T00:00:00Z",
    )
    expect(out).toContain("what to do")
    expect((await run(["quote.bin", "--collateral", "old.json"])).out).toMatch(
      /GENUINE, but OutOfDate[\s\S]*advisories +INTEL-SA-1/,
    )
  })

  test("control characters of others do not reach the terminal", () => {
    expect(printable("a\x1b[31mb\u0007\nc…é🔒")).toBe("a?[31mb??c…é🔒")
  })

  test.each([
    "\u202e",
    "\u2066",
    "\u200b",
    "\u200f",
    "\u061c",
    "\ufeff",
    "\u2028",
    "\u3164",
    "\ud800",
    "\u{e0041}",
  ])("what turns or hides text does not, either: %j", (character) => {
    expect(printable(`a${character}b`)).toBe("a?b")
  })

  test("wraps at spaces, and inside what has none", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"])
    expect(wrap("a 0123456789", 4)).toEqual(["a", "0123", "4567", "89"])
    expect(wrap("", 4)).toEqual([""])
  })
})

describe("as a program", () => {
  const folder = mkdtempSync(join(tmpdir(), "explain-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  const paths = Object.fromEntries(
    Object.entries(files).map(([name, content]) => {
      const path = join(folder, name === "-" ? "stdin" : name)
      writeFileSync(path, content)
      return [name, path]
    }),
  )
  const start = async (script: string, argv: readonly string[], input: Uint8Array = new Uint8Array()) => {
    const { spawnSync } = await import("node:child_process")
    return spawnSync(process.execPath, [join(import.meta.dirname, script), ...argv], {
      encoding: "utf8",
      input,
    })
  }
  const devnet = "../../../devnet/src/twinlock.ts"
  const options = ["--collateral", paths["good.json"] ?? "", "--at", String(NOW)]

  test("under the simulated root, from stdin", async () => {
    const root = `0x${Buffer.from(rootKey).toString("hex")}`
    const done = await start(devnet, [root, "attest", "explain", "-", ...options], quote)
    expect(done).toMatchObject({
      status: 0,
      stderr: "",
      stdout: expect.stringContaining("GENUINE, UpToDate"),
    })
  })

  test("the production program refuses it", async () => {
    const done = await start("twinlock.ts", ["attest", "explain", paths["quote.bin"] ?? "", ...options])
    expect(done).toMatchObject({ status: 2, stdout: expect.stringContaining("ROOT_MISMATCH") })
  })

  test.each([
    [["attest"]],
    [["attest", "explain"]],
    [["attest", "explain", "/nowhere"]],
    [["attest", "explain", paths["deep.json"] ?? ""]],
  ])("%j ends with 1", async (argv) => {
    const { stderr, ...done } = await start("twinlock.ts", argv)
    expect(done).toMatchObject({ status: 1, stdout: "" })
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})
