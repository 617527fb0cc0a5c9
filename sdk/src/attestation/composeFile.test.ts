import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { utf8ToBytes } from "../protocol/codec.ts"
import { appraiseComposeFile, type ComposePolicy } from "./composeFile.ts"
import { composeHashOf } from "./composeHash.ts"
import type { ComposeCode, MalformedCode } from "./errors.ts"

const DIGEST = "ab".repeat(32)
const document = {
  services: {
    keyholder: {
      image: `ghcr.io/twinlock/node@sha256:${DIGEST}`,
      volumes: ["/var/run/dstack.sock:/var/run/dstack.sock"],
    },
  },
}
const file = {
  manifest_version: 2,
  name: "twinlock-node",
  runner: "docker-compose",
  docker_compose_file: JSON.stringify(document),
  kms_enabled: true,
  key_provider_id: "C0FFEE",
  gateway_enabled: false,
  public_logs: false,
  public_sysinfo: false,
  public_tcbinfo: true,
  allowed_envs: ["LOG_LEVEL"],
  secure_time: true,
}
const policy: ComposePolicy = {
  allowedEnvs: ["LOG_LEVEL", "NODE_NAME"],
  keyProvider: { kind: "kms", id: "0xc0ffee" },
  gateway: false,
  publicLogs: false,
  publicSysinfo: false,
  publicTcbinfo: true,
  secureTime: true,
  instanceId: true,
  hostPaths: ["/var/run/dstack.sock"],
}

function appraise(text: string, changed: Partial<ComposePolicy> = {}) {
  const bytes = utf8ToBytes(text)
  return appraiseComposeFile(bytes, composeHashOf(bytes), { ...policy, ...changed })
}

test("a file that keeps every rule names its images", () => {
  expect(appraise(JSON.stringify(file, null, 2))).toEqual({
    composeHash: composeHashOf(utf8ToBytes(JSON.stringify(file, null, 2))),
    name: "twinlock-node",
    images: [{ service: "keyholder", reference: document.services.keyholder.image, digest: `0x${DIGEST}` }],
  })
})

test("only the bytes that the quote binds count", () => {
  const bytes = utf8ToBytes(JSON.stringify(file))
  const other = composeHashOf(utf8ToBytes(`${JSON.stringify(file)}\n`))
  expect(() => appraiseComposeFile(bytes, other, policy)).toThrow("COMPOSE_HASH")
})

type Change = Readonly<Record<string, unknown>>
test.each<[string, Change, ComposeCode | MalformedCode]>([
  ["an unknown member", { launch: true }, "COMPOSE_FIELD"],
  ["a member with a prototype's name", { constructor: 1 }, "COMPOSE_FIELD"],
  ["volumes of content", { verity_volumes: [] }, "COMPOSE_FIELD"],
  ["requirements", { requirements: {} }, "COMPOSE_FIELD"],
  ["a script before the launch", { pre_launch_script: "true" }, "COMPOSE_SCRIPT"],
  ["an empty script before the launch", { pre_launch_script: "" }, "COMPOSE_SCRIPT"],
  ["an init script", { init_script: ["true"] }, "COMPOSE_SCRIPT"],
  ["a bash script", { bash_script: "true" }, "COMPOSE_SCRIPT"],
  ["another runner", { runner: "bash" }, "COMPOSE_RUNNER"],
  ["no runner", { runner: undefined }, "COMPOSE_MALFORMED"],
  ["an old manifest", { manifest_version: 1 }, "COMPOSE_MALFORMED"],
  ["a manifest of the future", { manifest_version: "4" }, "COMPOSE_MALFORMED"],
  ["no name", { name: undefined }, "COMPOSE_MALFORMED"],
  ["another version of digests", { event_log_version: 3 }, "COMPOSE_MALFORMED"],
  ["features", { features: ["kms"] }, "COMPOSE_FIELD"],
  ["another file system", { storage_fs: "fat" }, "COMPOSE_MALFORMED"],
  ["swap space", { swap_size: 1 }, "COMPOSE_FLAG"],
  ["swap space in words", { swap_size: "1G" }, "COMPOSE_FLAG"],
  ["no key provider", { kms_enabled: false }, "COMPOSE_KEY_PROVIDER"],
  ["a local key provider", { kms_enabled: false, local_key_provider_enabled: true }, "COMPOSE_KEY_PROVIDER"],
  ["two key providers", { local_key_provider_enabled: true }, "COMPOSE_KEY_PROVIDER"],
  ["a kind that contradicts its flag", { key_provider: "local" }, "COMPOSE_KEY_PROVIDER"],
  ["an unknown kind", { key_provider: "cloud" }, "COMPOSE_MALFORMED"],
  ["no provider's id", { key_provider_id: undefined }, "COMPOSE_KEY_PROVIDER"],
  ["an empty provider's id", { key_provider_id: "" }, "COMPOSE_KEY_PROVIDER"],
  ["another provider's id", { key_provider_id: "c0ffef" }, "COMPOSE_KEY_PROVIDER"],
  ["a provider's id that is no text", { key_provider_id: 1 }, "COMPOSE_MALFORMED"],
  ["the gateway", { gateway_enabled: true }, "COMPOSE_FLAG"],
  ["the gateway under its old name", { tproxy_enabled: true }, "COMPOSE_FLAG"],
  ["public logs", { public_logs: true }, "COMPOSE_FLAG"],
  ["public system information", { public_sysinfo: true }, "COMPOSE_FLAG"],
  ["no public TCB information", { public_tcbinfo: false }, "COMPOSE_FLAG"],
  ["the host's clock", { secure_time: false }, "COMPOSE_FLAG"],
  ["no instance id", { no_instance_id: true }, "COMPOSE_FLAG"],
  ["a flag that is text", { public_logs: "false" }, "COMPOSE_MALFORMED"],
  ["a variable for the host", { allowed_envs: ["LOG_LEVEL", "NODE_OPTIONS"] }, "COMPOSE_ENVIRONMENT"],
  ["variables that are no list", { allowed_envs: "LOG_LEVEL" }, "COMPOSE_MALFORMED"],
  ["no document", { docker_compose_file: undefined }, "COMPOSE_MALFORMED"],
  ["a document in YAML", { docker_compose_file: "services: {}" }, "COMPOSE_MALFORMED"],
  [
    "an image without digest",
    { docker_compose_file: '{"services":{"a":{"image":"node"}}}' },
    "COMPOSE_IMAGE",
  ],
  [
    "a command of the host",
    {
      docker_compose_file: JSON.stringify({
        services: { a: { image: `node@sha256:${DIGEST}`, command: `\${LOG_LEVEL}` } },
      }),
    },
    "COMPOSE_ENVIRONMENT",
  ],
  [
    "a variable that the policy has and the file has not",
    {
      docker_compose_file: JSON.stringify({
        services: { a: { image: `node@sha256:${DIGEST}`, environment: { NODE_NAME: null } } },
      }),
    },
    "COMPOSE_ENVIRONMENT",
  ],
])("%s is refused", (_, change, code) => {
  expect(() => appraise(JSON.stringify({ ...file, ...change }))).toThrow(code)
})

test.each<[string, string]>([
  ["a member twice", JSON.stringify(file).replace("{", '{"public_logs":true,')],
  ["a list", "[]"],
  ["no JSON", "services:"],
  ["a byte order mark", `\ufeff${JSON.stringify(file)}`],
  ["a huge file", JSON.stringify({ ...file, name: "x".repeat(300_000) })],
])("%s is malformed", (_, text) => {
  expect(() => appraise(text)).toThrow("COMPOSE_MALFORMED")
})

test.each(["[]", "null", "1", '"file"'])("%s is no object", (text) => {
  expect(() => appraise(text)).toThrow("must be an object")
})

test("bytes that are no UTF-8 are refused", () => {
  const bytes = Uint8Array.of(0x7b, 0xff, 0x7d)
  expect(() => appraiseComposeFile(bytes, composeHashOf(bytes), policy)).toThrow("COMPOSE_MALFORMED")
})

test("defaults are the guest's", () => {
  const { secure_time, public_tcbinfo, public_logs, public_sysinfo, gateway_enabled, ...bare } = file
  expect(appraise(JSON.stringify(bare)).name).toBe(file.name)
  const explicit = {
    ...bare,
    kms_enabled: undefined,
    key_provider: "kms",
    event_log_version: 2,
    storage_fs: "zfs",
  }
  expect(appraise(JSON.stringify({ ...explicit, manifest_version: "3" })).name).toBe(file.name)
})

test("a parser of the caller reads other documents, and its errors become typed ones", () => {
  const bytes = utf8ToBytes(JSON.stringify({ ...file, docker_compose_file: "services: …" }))
  const hash = composeHashOf(bytes)
  expect(appraiseComposeFile(bytes, hash, policy, () => document).images).toHaveLength(1)
  const failing = () => {
    throw new TypeError("duplicate key")
  }
  expect(() => appraiseComposeFile(bytes, hash, policy, failing)).toThrow(
    "COMPOSE_MALFORMED: docker_compose_file cannot be read",
  )
})

const SAMPLES = new URL("../../../../shared/attestation-samples/", import.meta.url)
const present = existsSync(SAMPLES)

describe.skipIf(!present)(
  `real files (${present ? "from shared/attestation-samples" : "skipped: ../shared/attestation-samples is absent"})`,
  () => {
    test.each<[string, string, string]>([
      [
        "a provider that the host may choose",
        "near-mpc-dstack-v4-b0c0/app_compose.json",
        "COMPOSE_KEY_PROVIDER",
      ],
      ["a script", "dstack-simulator-fixture-v4-b0c0/sim-app-compose.json", "COMPOSE_SCRIPT"],
    ])("%s is found", (_, path, code) => {
      const bytes = new Uint8Array(readFileSync(new URL(path, SAMPLES)))
      const local = { ...policy, keyProvider: { kind: "local", id: "0x00" } } as const
      expect(() => appraiseComposeFile(bytes, composeHashOf(bytes), local)).toThrow(code)
    })
  },
)
