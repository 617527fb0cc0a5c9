import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { type RunningAgent, startAgent } from "@twinlock/devnet/agent/server"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { addressOfSecretKey } from "@twinlock/sdk/protocol/signature"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { nodeRegistryInterface } from "../chain/contracts.ts"
import type { Call } from "../chain/transactor.ts"
import { parseConfig } from "../config.ts"
import { initIdentity } from "../identity.ts"
import { address, digest, type FakeRegistry, fakeChain, HEAD, record } from "../p2p/testSupport.fixture.ts"
import { createMemoryStore } from "../storage/memoryStore.ts"
import { parseArguments } from "./arguments.ts"
import { register } from "./register.ts"
import { type CliDeps, runCli } from "./runCli.ts"
import { status } from "./status.ts"
import { describeResult } from "./text.ts"

const platform = createPlatform({ seed: "cli", now: 1_791_158_400 })
const keys = createKeyService("cli")
const options = {
  platform,
  machine: "alice",
  role: "keyholder",
  compose: devnetCompose("keyholder"),
  keys,
} as const
const cvm = createCvm(options)
const operatorKey = new Uint8Array(32).fill(5)

let folder = ""
let agent: RunningAgent
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "twinlock-cli-"))
  agent = await startAgent({ ...options, socketPath: join(folder, "agent.sock") })
  writeFileSync(join(folder, "config.json"), configText())
  writeFileSync(join(folder, "operator.key"), `${toHex(operatorKey)}\n`)
})
afterAll(async () => {
  await agent.stop()
  rmSync(folder, { recursive: true, force: true })
})

const configText = (changes: object = {}): string =>
  JSON.stringify({
    name: "alice",
    role: "keyholder",
    operator: addressOfSecretKey(operatorKey),
    dataDirectory: join(folder, "data"),
    chain: { id: 31337, genesisHash: digest(2), rpc: ["http://127.0.0.1:9"], deployedAt: 0 },
    contracts: {
      nodeRegistry: address(0xa1),
      keyRegistry: address(0xa2),
      decryptionVerifier: address(0xa3),
      decryptionGateway: address(0xa4),
      coprocessor: address(0xa5),
      ciphertextCommitments: address(0xa6),
    },
    attestation: { collateral: ["http://127.0.0.1:9"], providerKey: keys.rootKey, appId: toHex(cvm.appId) },
    executorQuorum: 2,
    listen: { p2p: { host: "127.0.0.1", port: 0 }, http: { port: 0 } },
    ...changes,
  })

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: "", err: "" }
  const deps: CliDeps = {
    platform: {
      agentSocket: agent.socketPath,
      verifierFor: () => {
        throw new Error("unused")
      },
    },
    services: () => [],
    environment: { TWINLOCK_CONFIG: join(folder, "config.json") },
    out: (line) => {
      text.out += line
    },
    err: (line) => {
      text.err += line
    },
    terminated: async () => {},
  }
  return { code: await runCli(argv, deps), ...text }
}

describe("arguments", () => {
  test.each([
    ["no command", []],
    ["unknown command", ["dance"]],
    ["two commands", ["init", "run"]],
    ["unknown option", ["init", "--insecure"]],
    ["option without value", ["init", "--config"]],
    ["operator key for another command", ["run", "--operator-key-file", "x"]],
  ])("%s is refused with the usage", async (_name, argv) => {
    expect(() => parseArguments(argv)).toThrow("usage: twinlock-node")
    expect(await run(...argv)).toMatchObject({ code: 2, out: "" })
  })

  test("all options", () => {
    expect(parseArguments(["register", "--config", "a", "--json", "--operator-key-file", "b"])).toEqual({
      command: "register",
      config: "a",
      json: true,
      operatorKeyFile: "b",
    })
  })
})

describe("init", () => {
  test("makes the keys once and prints only what is public", async () => {
    const first = await run("init", "--json")
    const second = await run("init", "--json")
    expect(first).toMatchObject({ code: 0, err: "" })
    expect(second.out).toBe(first.out)
    expect(Object.keys(JSON.parse(first.out))).toEqual([
      "name",
      "role",
      "operator",
      "signer",
      "peerId",
      "peerIdHash",
      "configHash",
    ])
    expect((await run("init")).out).toContain("signer: 0x")
  })

  test("keys of another provider than the pinned one open nothing", async () => {
    const other = join(folder, "other.json")
    writeFileSync(
      other,
      configText({
        attestation: { ...JSON.parse(configText()).attestation, providerKey: `0x02${"11".repeat(32)}` },
      }),
    )
    expect(await run("init", "--config", other)).toMatchObject({
      code: 1,
      err: expect.stringContaining("AGENT_WRONG_PROVIDER"),
    })
  })

  test("a bad configuration is refused before anything is touched", async () => {
    const bad = join(folder, "bad.json")
    writeFileSync(bad, configText({ dataDirectory: "" }))
    expect(await run("init", "--config", bad)).toMatchObject({
      code: 1,
      err: expect.stringContaining("CONFIG_INVALID"),
    })
  })
})

describe("register", () => {
  const prepared = async (registry: FakeRegistry = new Map()) => {
    const sent: Call[] = []
    const identity = await initIdentity(createMemoryStore(), systemRng)
    const deps = {
      chain: fakeChain(registry),
      quoter: {
        quote: async (reportData: Uint8Array) => ({
          quote: cvm.quote(reportData),
          eventLog: "[]",
          configDocument: new Uint8Array(),
        }),
        info: () => Promise.reject(new Error("unused")),
      },
      transactorFor: () => ({
        account: addressOfSecretKey(operatorKey),
        send: async (call: Call) => {
          sent.push(call)
          return { hash: digest(9), gasUsed: 7n, blockNumber: 1n }
        },
      }),
    }
    return { sent, identity, deps, config: parseConfig(configText(), {}) }
  }

  test("without a key it hands out the operator's transaction", async () => {
    const { config, identity, deps, sent } = await prepared()
    const { transaction, sent: receipt, challengeBlock } = await register(config, identity, undefined, deps)
    const call = nodeRegistryInterface.parseTransaction({ data: transaction.data })
    expect(call?.name).toBe("register")
    expect(call?.args[0].signer.toLowerCase()).toBe(identity.signer)
    expect(call?.args[0].challengeBlock).toBe(HEAD.number)
    expect([challengeBlock, receipt, sent.length]).toEqual([`${HEAD.number}`, null, 0])
    expect(transaction).toMatchObject({ from: config.operator, to: config.contracts.nodeRegistry })
  })

  test("with the operator's key file it sends it", async () => {
    const { config, identity, deps, sent } = await prepared()
    const result = await register(config, identity, join(folder, "operator.key"), deps)
    expect(result.sent).toEqual({ hash: digest(9), gasUsed: "7" })
    expect(sent[0]?.method).toBe("register")
  })

  test.each<[string, string, string]>([
    ["no key file", "nowhere", "OPERATOR_KEY_FILE"],
    ["a file that holds no key", "config.json", "OPERATOR_KEY_FILE"],
    ["a key of somebody else", "foreign.key", "OPERATOR_KEY_FOREIGN"],
  ])("refused: %s", async (_name, file, code) => {
    writeFileSync(join(folder, "foreign.key"), toHex(new Uint8Array(32).fill(6)))
    const { config, identity, deps } = await prepared()
    await expect(register(config, identity, join(folder, file), deps)).rejects.toMatchObject({
      detail: { code },
    })
  })

  test("a registered signer is not registered again", async () => {
    const registry: FakeRegistry = new Map()
    const { config, identity, deps } = await prepared(registry)
    registry.set(identity.signer, record(identity.signer, digest(1)))
    await expect(register(config, identity, undefined, deps)).rejects.toThrow("ALREADY_REGISTERED")
  })
})

describe("status", () => {
  const own = {
    name: "alice",
    role: "keyholder",
    signer: address(1),
    peerId: "12D3",
    configHash: digest(1),
    addresses: [],
    peers: [],
    services: ["head"],
  }
  const health = { ready: false, parts: { chain: { ready: false, reason: "no head" } } }
  const ceremony = {
    keyId: digest(2),
    phase: "chunk-digests",
    ...{ round: 12, rounds: 25, percent: 31, bytesSent: 90_000_000, secondsLeft: 61 },
  }
  const answersOf =
    (answers: Readonly<Record<string, object>>) =>
    async (url: string): Promise<Response> =>
      new Response(JSON.stringify(answers[new URL(url).pathname]), { status: 503 })
  const answers = { "/v1/status": own, "/health": health, "/v1/ceremony": { ceremony } }
  const answering = answersOf(answers) as typeof fetch

  test("joins what the node and what the registry say", async () => {
    const registry: FakeRegistry = new Map([
      [address(1), { ...record(address(1), digest(1)), liveUntil: HEAD.timestamp + 1_000n }],
    ])
    const report = await status(parseConfig(configText(), {}), {
      chain: fakeChain(registry),
      fetch: answering,
    })
    expect(report).toMatchObject({ name: "alice", health, registry: { secondsLeft: "1000", revoked: false } })
    expect(describeResult(report)).toContain("      reason: no head")
  })

  test("tells how far a key ceremony is; an executor is not asked", async () => {
    const read = (answers: Readonly<Record<string, object>>) =>
      status(parseConfig(configText(), {}), {
        chain: fakeChain(new Map()),
        fetch: answersOf(answers) as typeof fetch,
      })
    const report = await read(answers)
    expect(report.ceremony).toEqual(ceremony)
    expect(describeResult(report)).toContain("ceremony:\n  keyId:")
    expect(describeResult(report)).toContain("  percent: 31\n")
    expect(describeResult(await read({ ...answers, "/v1/ceremony": { ceremony: null } }))).toContain(
      "ceremony: -\n",
    )
    const executor = { "/v1/status": { ...own, role: "executor" }, "/health": health }
    expect((await read(executor)).ceremony).toBeNull()
  })

  test("a node that does not run", async () => {
    const silent = (() => Promise.reject(new Error("refused"))) as typeof fetch
    await expect(
      status(parseConfig(configText(), {}), { chain: fakeChain(new Map()), fetch: silent }),
    ).rejects.toThrow("NODE_NOT_RUNNING")
  })
})
