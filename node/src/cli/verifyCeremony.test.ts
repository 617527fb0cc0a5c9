import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { COMMITTEE, PROPOSAL } from "../ceremony/party.fixture.ts"
import { toyAudit, toyStanding } from "../ceremony/toyAudit.fixture.ts"
import { toyLayout } from "../ceremony/toyEngine.fixture.ts"
import { createWorld, SIGNING, type World } from "../ceremony/world.fixture.ts"
import { parseCeremonyPolicy } from "./ceremonyPolicyFile.ts"
import { type CeremonyAudit, type VerifyCeremonyDeps, verifyCeremony } from "./verifyCeremony.ts"

const folder = mkdtempSync(join(tmpdir(), "twinlock-verify-"))
let world: World
let files: ReadonlyMap<string, Uint8Array>
let server: Server
let url: string

const text = (value: object): Uint8Array => Buffer.from(JSON.stringify(value))
const policy = { keyId: COMMITTEE.keyId, chainId: Number(SIGNING.chainId), parties: PROPOSAL.parties }
const CODE = { images: [], composeHashes: [], providers: [] }
const deployment = {
  chainId: String(SIGNING.chainId),
  startBlock: "0",
  decryptionVerifier: SIGNING.verifyingContract,
  coprocessor: PROPOSAL.host.coprocessor,
  decryptionGateway: PROPOSAL.host.gateway,
  ...{ nodeRegistry: PROPOSAL.host.gateway, keyRegistry: PROPOSAL.host.gateway },
  ciphertextCommitments: PROPOSAL.host.gateway,
}

beforeAll(async () => {
  world = createWorld()
  await world.run()
  const bundle = world.transcripts.get(1) ?? new Uint8Array()
  files = new Map([
    ["key.bundle", bundle],
    ["-", bundle],
    ["changed.bundle", bundle.map((byte, at) => (at === 5_000 ? byte ^ 1 : byte))],
    ["policy.json", text(policy)],
    ["whole.json", text({ ...policy, quotes: CODE })],
    ["copied.json", text({ keyId: COMMITTEE.keyId, verifyingContract: SIGNING.verifyingContract })],
    ["quotes.json", text({ quotes: CODE })],
    ["other.json", text({ ...policy, chainId: 1 })],
    ["deployment.json", text(deployment)],
    ["elsewhere.json", text({ ...deployment, coprocessor: SIGNING.verifyingContract })],
    ["impostor.json", text({ ...deployment, decryptionVerifier: PROPOSAL.host.gateway })],
    ["broken.json", Buffer.from("{")],
  ])
  for (const [digest, bytes] of world.blobs) {
    const name = digest.slice(2)
    mkdirSync(join(folder, name.slice(0, 2)), { recursive: true })
    writeFileSync(join(folder, name.slice(0, 2), name), bytes)
  }
  server = createServer((request, response) => {
    const found = world.blobs.get(parseDigest(`0x${request.url?.split("/").at(-1) ?? ""}`))
    response.writeHead(found === undefined ? 404 : 200).end(found)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

async function run(...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  let out = ""
  const deps: VerifyCeremonyDeps = {
    explain: () => {
      throw new Error("the toy's evidence is no quote")
    },
    read: async (path) => {
      const bytes = files.get(path)
      if (bytes === undefined) throw new Error("ENOENT")
      return bytes
    },
    keygens: [toyAudit(toyLayout(6))],
    standing: toyStanding,
    out: (printed) => {
      out += printed
    },
    columns: 90,
    colour: false,
  }
  return { code: await verifyCeremony(argv, deps), out }
}
const auditOf = async (...argv: readonly string[]): Promise<CeremonyAudit> =>
  JSON.parse((await run(...argv, "--json")).out)

describe("twinlock verify-ceremony", () => {
  test("explains every step of a transcript that holds, in 90 columns", async () => {
    const { code, out } = await run("key.bundle")
    expect(code).toBe(3)
    expect(out).toContain("✓  signatures of every round\n     Every message is signed by its party")
    expect(out).toContain("–  the chain's word: not checked, no --rpc")
    expect(out).toMatch(/\nHOLDS AS WRITTEN\n {2}steps {15}13 passed, 3 not checked\n/)
    expect(out).toContain("open                whether this is the key that you mean")
    expect(out).toContain("open                what the enclaves ran")
    expect(out).toContain("not checked         what you expect, published files, the chain's word")
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(90)
    expect(out).toContain(COMMITTEE.keyId)
  })

  test("reads stdin, and prints one JSON object", async () => {
    const audit = await auditOf("-")
    expect(audit).toMatchObject({
      format: "twinlock/verify-ceremony/1",
      verdict: "holds-as-written",
      open: ["key", "code"],
      key: { keyId: COMMITTEE.keyId, epoch: 1, chainId: "31337", n: 4, t: 1, parties: PROPOSAL.parties },
    })
    expect(audit.steps.map(({ id }) => id)).toContain("activation")
  })

  test("a changed transcript is refused by the name of the step, with code 2", async () => {
    const { code, out } = await run("changed.bundle")
    expect(code).toBe(2)
    expect(out).toContain('REFUSED at step "rounds"')
    expect(out).toContain("as written: a refused transcript proves nothing")
    expect((await run("policy.json")).out).toContain('REFUSED at step "form"')
  })

  test.each([
    ["parties and code", ["--policy", "whole.json"], 0],
    ["parties, code and deployment", ["--deployment", "deployment.json", "--policy", "whole.json"], 0],
    ["parties without code", ["--policy", "policy.json"], 3],
    ["code without parties", ["--policy", "quotes.json"], 3],
    ["key id and contract, which anybody can copy", ["--policy", "copied.json"], 3],
    ["a deployment alone", ["--deployment", "deployment.json"], 3],
    ["another chain", ["--policy", "other.json"], 2],
    ["another deployment", ["--deployment", "elsewhere.json"], 2],
  ] as const)("a reader who names %s", async (_, argv, wanted) => {
    const { code, out } = await run("key.bundle", ...argv)
    expect(code).toBe(wanted)
    expect(out).toMatch({ 0: /\nHOLDS\n/, 2: /REFUSED at step "policy"/, 3: /\nHOLDS AS WRITTEN\n/ }[wanted])
    const text = out.replace(/\s+/g, " ")
    expect(text.includes("this alone anybody can write")).toBe(
      argv.some((file) => file === "copied.json") || argv.join() === "--deployment,deployment.json",
    )
    expect(text.includes("what you expect: not checked, no --deployment, and no --policy that names")).toBe(
      argv.some((file) => file === "quotes.json"),
    )
  })

  test("the chain is asked about the contract that the reader names, never the transcript's own", async () => {
    const rpc = ["--rpc", "http://127.0.0.1:1"] as const
    for (const named of [[], ["--policy", "policy.json"], ["--policy", "quotes.json"]])
      expect(await rejectionCodeOf(() => run("key.bundle", ...rpc, ...named))).toBe("VERIFY_USAGE")
    const { code, out } = await run("key.bundle", ...rpc, "--deployment", "impostor.json")
    expect([code, out]).toEqual([2, expect.stringContaining('REFUSED at step "policy"')])
  })

  test("published files: a folder, a coordinator, and what is missing", async () => {
    for (const place of [folder, url]) {
      const { code, out } = await run("key.bundle", "--chunks", place)
      expect([code, out.replace(/\s+/g, " ")]).toEqual([
        3,
        expect.stringMatching(/the published chunks \(\d+ bytes\), public key and CRS hash/),
      ])
    }
    for (const place of ["/nowhere", `${url}/`.replace(/\d+\/$/, "1/")]) {
      const { code, out } = await run("key.bundle", "--chunks", place)
      expect([code, out]).toEqual([1, expect.stringContaining('NOT JUDGED: step "published" has no answer')])
    }
    rmSync(join(folder, world.submitted[0]?.activation.crsDigest.slice(2, 4) ?? "none"), { recursive: true })
    expect((await run("key.bundle", "--chunks", folder)).code).toBe(1)
  })

  test("an endpoint that does not answer says nothing about the transcript", async () => {
    const named = ["--deployment", "deployment.json"]
    const audit = await auditOf("key.bundle", "--rpc", "http://127.0.0.1:1", ...named)
    expect(audit.verdict).toBe("unreachable")
    expect(audit.steps.at(-1)).toMatchObject({
      id: "chain",
      status: "unreachable",
      code: "CHAIN_UNAVAILABLE",
    })
  })

  test.each([
    ["no file", [], "VERIFY_USAGE"],
    ["two files", ["a", "b"], "VERIFY_USAGE"],
    ["an unknown option", ["a", "--yaml"], "VERIFY_USAGE"],
    ["no URL", ["key.bundle", "--rpc", "ws://x"], "VERIFY_USAGE"],
    ["a file that is not there", ["nowhere"], "VERIFY_FILE"],
    ["a policy that is not there", ["key.bundle", "--policy", "nowhere"], "VERIFY_FILE"],
    ["a policy that is no JSON", ["key.bundle", "--policy", "broken.json"], "CEREMONY_POLICY"],
    ["a deployment that is none", ["key.bundle", "--deployment", "policy.json"], "BAD_DEPLOYMENT"],
    [
      "a policy and a deployment that differ",
      ["key.bundle", "--policy", "other.json", "--deployment", "deployment.json"],
      "VERIFY_USAGE",
    ],
  ])("%s", async (_, argv, code) => {
    expect(await rejectionCodeOf(() => run(...argv))).toBe(code)
  })
})

describe("the policy file", () => {
  test("takes what it knows, in its own forms", () => {
    const { key, quotes } = parseCeremonyPolicy(
      JSON.stringify({
        ...policy,
        chainId: "31337",
        keyId: COMMITTEE.keyId.replace(/[a-f]/g, (letter) => letter.toUpperCase()),
        t: 1,
        quotes: { statuses: ["UpToDate"] },
      }),
    )
    expect(key).toEqual({ ...policy, chainId: 31_337n, t: 1 })
    expect(quotes).toEqual({ statuses: ["UpToDate"] })
  })

  test.each([
    ["an unknown member", { keyID: COMMITTEE.keyId }, "CEREMONY_POLICY"],
    ["nothing", {}, "CEREMONY_POLICY"],
    ["an address of another length", { verifyingContract: "0x12" }, "CEREMONY_POLICY"],
    [
      "report data, which every seat has of its own",
      { quotes: { reportData: `0x${"00".repeat(64)}` } },
      "CEREMONY_POLICY",
    ],
    ["a bad policy of quotes", { quotes: { status: [] } }, "POLICY_FILE"],
  ])("%s is refused", async (_, json, code) => {
    expect(await rejectionCodeOf(async () => parseCeremonyPolicy(JSON.stringify(json)))).toBe(code)
  })
})
