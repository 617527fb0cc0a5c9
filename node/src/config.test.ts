import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { configHash, parseConfig, readConfig } from "./config.ts"

const hex = (byte: string, bytes: number): string => `0x${byte.repeat(bytes)}`

const valid = {
  name: "alice",
  role: "keyholder",
  operator: hex("01", 20),
  dataDirectory: "/data",
  chain: { id: 31337, genesisHash: hex("02", 32), rpc: ["http://127.0.0.1:8545"], deployedAt: 3 },
  contracts: {
    nodeRegistry: hex("a1", 20),
    keyRegistry: hex("a2", 20),
    decryptionVerifier: hex("a3", 20),
    decryptionGateway: hex("a4", 20),
    coprocessor: hex("a5", 20),
    ciphertextCommitments: hex("a6", 20),
  },
  attestation: { collateral: ["http://127.0.0.1:9000"], providerKey: hex("03", 33), appId: hex("04", 20) },
  executorQuorum: 2,
  listen: { p2p: { host: "127.0.0.1", port: 4001 }, http: { port: 8080 } },
}
type Mutable = Record<string, unknown>

/** The valid configuration with the value at a dotted path replaced, or removed where undefined. */
function changed(path: string, value: unknown): string {
  const copy = structuredClone(valid) as Mutable
  const keys = path.split(".")
  const last = keys.pop() ?? ""
  let at = copy
  for (const key of keys) at = at[key] as Mutable
  if (value === undefined) delete at[last]
  else at[last] = value
  return JSON.stringify(copy)
}

const parse = (text = JSON.stringify(valid), environment = {}) => parseConfig(text, environment)

describe("configuration file", () => {
  test("JSON, with defaults", () => {
    expect(parse()).toMatchObject({
      name: "alice",
      logLevel: "info",
      peers: [],
      coordinators: [],
      listen: { announce: [], http: { host: "127.0.0.1", port: 8080 } },
    })
  })

  test("YAML, hex quoted or not", () => {
    const yaml = JSON.stringify(valid, null, 2).replaceAll(/"(0x[0-9a-f]+)"/g, "$1")
    expect(parse(yaml)).toEqual(parse())
  })

  test.each([
    ["unknown key", "extra", 1, "extra"],
    ["unknown nested key", "chain.skipAttestation", true, "skipAttestation"],
    ["missing key", "operator", undefined, "operator"],
    ["bad role", "role", "observer", "role"],
    ["checksummed address", "operator", `0x${"Ab".repeat(20)}`, "operator"],
    ["short address", "contracts.coprocessor", "0x12", "contracts.coprocessor"],
    ["number for text", "name", 5, "name"],
    ["text for number", "chain.id", "31337", "chain.id"],
    ["url of another scheme", "chain.rpc", ["ftp://x"], "chain.rpc.0"],
    ["no endpoint", "chain.rpc", [], "chain.rpc"],
    ["heads over HTTP", "chain.heads", "http://127.0.0.1:8545", "chain.heads"],
    ["single executor", "executorQuorum", 1, "executorQuorum"],
    ["port out of range", "listen.http.port", 70_000, "listen.http.port"],
    ["no multiaddr", "peers", [{ signer: hex("05", 20), multiaddr: "127.0.0.1:4001" }], "peers.0.multiaddr"],
  ])("%s is fatal and named", (_name, path, value, named) => {
    expect(() => parse(changed(path, value))).toThrow(/CONFIG_INVALID/)
    expect(() => parse(changed(path, value))).toThrow(named)
  })

  test.each([
    ["no YAML", "a: [1"],
    ["a repeated key", "name: a\nname: b"],
    ["an alias", "a: &x 1\nb: *x"],
  ])("%s is unreadable", (_name, text) => {
    expect(() => parse(text)).toThrow("CONFIG_UNREADABLE")
  })

  test.each([
    ["a list", "[]"],
    ["text", "hello"],
    ["nothing", ""],
  ])("%s is no configuration", (_name, text) => {
    expect(() => parse(text)).toThrow("CONFIG_INVALID")
  })

  test.each([
    ["one endpoint", ["https://a.example"]],
    ["three on one host", ["https://a.example/1", "https://a.example/2", "https://a.example/3"]],
  ])("outside the development chain %s is too few", (_name, rpc) => {
    expect(() => parse(changed("chain", { ...valid.chain, id: 1, rpc }))).toThrow("CONFIG_TOO_FEW_ENDPOINTS")
  })

  test("one host listed twice would count as two voices", () => {
    expect(() => parse(changed("chain.rpc", ["http://a.example", "http://a.example"]))).toThrow(
      "CONFIG_TOO_FEW_ENDPOINTS",
    )
  })

  test("reading a file that is not there", () => {
    expect(() => readConfig("/nowhere/config.yaml", {})).toThrow("CONFIG_UNREADABLE")
    expect(() => readConfig(undefined, {})).toThrow("TWINLOCK_CONFIG")
  })

  test("the environment may name the file", () => {
    const folder = mkdtempSync(join(tmpdir(), "twinlock-config-"))
    writeFileSync(join(folder, "node.json"), JSON.stringify(valid))
    expect(readConfig(undefined, { TWINLOCK_CONFIG: join(folder, "node.json") }).name).toBe("alice")
    rmSync(folder, { recursive: true })
  })
})

describe("environment", () => {
  test("sets names, ports, log level and folder", () => {
    const config = parse(undefined, {
      TWINLOCK_NAME: "bob",
      TWINLOCK_LOG_LEVEL: "debug",
      TWINLOCK_DATA_DIR: "/other",
      TWINLOCK_P2P_PORT: "5001",
      TWINLOCK_HTTP_PORT: "5002",
      PATH: "/bin",
    })
    expect(config).toMatchObject({ name: "bob", logLevel: "debug", dataDirectory: "/other" })
    expect(config.listen).toMatchObject({ p2p: { host: "127.0.0.1", port: 5001 }, http: { port: 5002 } })
  })

  test.each(["TWINLOCK_RPC", "TWINLOCK_CHAIN_ID", "TWINLOCK_SKIP_ATTESTATION"])("%s is fatal", (variable) => {
    expect(() => parse(undefined, { [variable]: "1" })).toThrow(/CONFIG_UNKNOWN_ENVIRONMENT.*TWINLOCK_/)
  })

  test.each([
    ["TWINLOCK_P2P_PORT", "http"],
    ["TWINLOCK_LOG_LEVEL", "chatty"],
  ])("a bad value of %s is fatal", (variable, value) => {
    expect(() => parse(undefined, { [variable]: value })).toThrow("CONFIG_INVALID")
  })
})

describe("configuration hash", () => {
  const hashOf = (path: string, value: unknown): string => configHash(parse(changed(path, value)))

  test("every security-relevant value changes it", () => {
    const changes: [string, unknown][] = [
      ["role", "executor"],
      ["chain", { ...valid.chain, id: 1, rpc: ["http://a.example", "http://b.example", "http://c.example"] }],
      ["chain.genesisHash", hex("99", 32)],
      ["chain.deployedAt", 4],
      ["chain.rpc", ["http://127.0.0.1:8546"]],
      ...Object.keys(valid.contracts).map((name): [string, unknown] => [`contracts.${name}`, hex("77", 20)]),
      ["attestation.collateral", ["http://127.0.0.1:9001"]],
      ["attestation.providerKey", hex("77", 33)],
      ["attestation.appId", hex("77", 20)],
      ["executorQuorum", 3],
    ]
    const hashes = changes.map(([path, value]) => hashOf(path, value))
    expect(new Set([configHash(parse()), ...hashes]).size).toBe(changes.length + 1)
  })

  test.each([
    ["name", "bob"],
    ["logLevel", "debug"],
    ["dataDirectory", "/other"],
    ["listen.http.port", 1],
    ["coordinators", ["http://c.example"]],
    ["chain.heads", "wss://a.example/key"],
  ])("%s does not change it", (path, value) => {
    expect(hashOf(path, value)).toBe(configHash(parse()))
  })
})
