/**
 * Compose files: two genuine ones mutated as trees, the Docker Compose document inside as well. What is accepted must
 * keep the rules that the oracle reads from plain JSON; what is bound by another hash must not be accepted at all.
 */
import type { ComposePolicy } from "@twinlock/sdk/attestation/composeFile"
import { composeHashOf } from "@twinlock/sdk/attestation/composeHash"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { mutateBytes } from "../byteMutation.ts"
import { type JsonNode, jsonTreeOf, mutateDocument } from "../jsonTree.ts"
import type { Rng } from "../rng.ts"
import { type Attempt, attempt, mustEqual, Violation } from "../violation.ts"
import type { Subject } from "./subject.ts"

const DIGEST = "ab".repeat(32)
const SOCKET = "/var/run/dstack.sock"

export const COMPOSE_POLICY: ComposePolicy = {
  allowedEnvs: ["LOG_LEVEL"],
  keyProvider: { kind: "kms", id: "0xc0ffee" },
  ...{ gateway: false, publicLogs: false, publicSysinfo: false, publicTcbinfo: true },
  ...{ secureTime: true, instanceId: true },
  hostPaths: [SOCKET],
}

const document = {
  services: {
    node: {
      image: `ghcr.io/twinlock/node@sha256:${DIGEST}`,
      volumes: [`${SOCKET}:${SOCKET}`, "data:/data:ro"],
      logging: { driver: "local" },
      security_opt: ["no-new-privileges:true"],
      restart: "always",
      environment: { LOG_LEVEL: "\u0024{LOG_LEVEL}", PORT: "80" },
      networks: { inner: { aliases: ["node"] } },
    },
    proxy: {
      image: `proxy@sha256:${DIGEST}`,
      ports: ["80:80"],
      command: ["proxy", "$$1"],
      environment: ["LOG_LEVEL", "A=b"],
      networks: ["inner"],
    },
  },
  volumes: { data: null },
  networks: { inner: { name: "inner", internal: true } },
}

const file = {
  ...{
    manifest_version: 2,
    name: "node",
    runner: "docker-compose",
    docker_compose_file: JSON.stringify(document),
  },
  ...{ kms_enabled: true, key_provider_id: "C0FFEE", gateway_enabled: false, public_logs: false },
  ...{ public_sysinfo: false, public_tcbinfo: true, allowed_envs: ["LOG_LEVEL"], secure_time: true },
}

const NEVER = [
  "pre_launch_script",
  "init_script",
  "bash_script",
  "features",
  "build",
  "privileged",
  "include",
  "extends",
  "pid",
]
/** Texts that Docker Compose fills from the host, and names of what is already there. */
const HOSTILE = [
  ...["$LOG_LEVEL", "\u0024{LOG_LEVEL}", "\u0024{A:-b}", "$$$A", "A", "A=$A"],
  ...["host", "bridge", "/", "driver_opts"],
]
const trees = { file: jsonTreeOf(file), document: jsonTreeOf(document) }

/** A member that opens the machine, added where it hurts. */
function opened(rng: Rng, node: JsonNode): JsonNode {
  if (node.kind !== "object") return node
  const added = [rng.pick(NEVER), { kind: "raw", text: rng.pick(["true", '"x"', '["x"]']) }] as const
  return { kind: "object", members: [...node.members, added] }
}

/** One text of the document, a member's name among them, replaced by a hostile one. */
function tempted(rng: Rng): string {
  const texts = file.docker_compose_file.match(/"(?:[^"\\]|\\.)*"/g) ?? []
  const place = rng.below(texts.length)
  let seen = 0
  return file.docker_compose_file.replace(/"(?:[^"\\]|\\.)*"/g, (text) =>
    seen++ === place ? JSON.stringify(rng.pick(HOSTILE)) : text,
  )
}

function mutatedFile(rng: Rng): string {
  if (rng.oneIn(3)) return JSON.stringify({ ...file, docker_compose_file: tempted(rng) })
  const inner = rng.oneIn(2)
    ? mutateDocument(rng, rng.oneIn(6) ? opened(rng, trees.document) : trees.document)
    : file.docker_compose_file
  const outer = jsonTreeOf({ ...file, docker_compose_file: inner })
  if (rng.oneIn(8)) return mutateDocument(rng, opened(rng, outer))
  return rng.oneIn(2) ? mutateDocument(rng, outer) : JSON.stringify({ ...file, docker_compose_file: inner })
}

type Members = Readonly<Record<string, unknown>>

/** What an accepted file says, or what it must never say. */
function factsOf(text: string): object {
  const read = JSON.parse(text) as Members
  const allowed = Object.keys(file).concat(
    ...[
      "event_log_version",
      "features",
      "key_provider",
      "local_key_provider_enabled",
      "no_instance_id",
      "storage_fs",
    ],
    ...["swap_size", "tproxy_enabled"],
  )
  const unknown = Object.keys(read).find((name) => !allowed.includes(name))
  if (unknown !== undefined) throw new Violation(`member ${unknown} was accepted`)
  const provider = read["key_provider"] ?? (read["kms_enabled"] === true ? "kms" : "none")
  const flags = [
    provider === "kms" && String(read["key_provider_id"]).toLowerCase() === "c0ffee",
    read["local_key_provider_enabled"] !== true && read["no_instance_id"] !== true,
    read["gateway_enabled"] !== true && read["tproxy_enabled"] !== true,
    read["public_logs"] !== true && read["public_sysinfo"] !== true,
    read["public_tcbinfo"] !== false && read["secure_time"] !== false,
    ((read["allowed_envs"] ?? []) as string[]).every((name) => name === "LOG_LEVEL"),
    ((read["features"] ?? []) as string[]).length === 0 && read["runner"] === "docker-compose",
  ]
  if (flags.includes(false))
    throw new Violation(`rules ${JSON.stringify(flags)} do not hold for an accepted file`)
  const hostMay = (read["allowed_envs"] ?? []) as readonly string[]
  const { services, networks = {} } = JSON.parse(String(read["docker_compose_file"]), (name, value) => {
    checkText(name, name, hostMay)
    checkText(name, value, hostMay)
    return value
  }) as { services: Record<string, Members>; networks?: Record<string, Members | null> }
  for (const service of Object.values(services)) checkService(service, Object.keys(networks), hostMay)
  for (const network of Object.values(networks))
    if (
      ["host", "bridge", "none"].includes(String(network?.["name"])) ||
      Object.hasOwn(network ?? {}, "driver_opts")
    )
      throw new Violation("a network that is not the document's own was accepted")
  const images = Object.entries(services).map(([service, { image }]) => ({
    service,
    reference: image,
    digest: `0x${String(image).slice(-64)}`,
  }))
  return { composeHash: composeHashOf(utf8ToBytes(text)), name: read["name"], images }
}

/** No text of the host's, but for a variable's own value. */
function checkText(name: string, value: unknown, hostMay: readonly string[]): void {
  if (typeof value !== "string" || !/(?<!\$)(?:\$\$)*\$(?!\$)/.test(value)) return
  const own = /^(?:([^=$]+)=)?\$\{([A-Z_]+)\}$/.exec(value)
  if (own === null || (own[1] ?? name) !== own[2] || !hostMay.includes(String(own[2])))
    throw new Violation(`text ${JSON.stringify(value)} of ${name}, which the host fills, was accepted`)
}

function checkService(service: Members, networks: readonly string[], hostMay: readonly string[]): void {
  const environment = service["environment"] ?? {}
  const bare = Array.isArray(environment)
    ? environment.filter((item: string) => !item.includes("="))
    : Object.entries(environment as Members).flatMap(([name, value]) => (value === null ? [name] : []))
  const foreign = bare.find((name: string) => !hostMay.includes(name))
  if (foreign !== undefined) throw new Violation(`variable ${foreign} of the host was accepted`)
  const joined = service["networks"] ?? []
  const names = Array.isArray(joined) ? joined : Object.keys(joined as Members)
  if (!names.every((name: string) => name === "default" || networks.includes(name)))
    throw new Violation(`networks ${JSON.stringify(names)} were accepted`)
  if (!/^[a-z0-9][^@\s$]*@sha256:[0-9a-f]{64}$/.test(String(service["image"])))
    throw new Violation("an image has no digest")
  const dangerous = NEVER.find((name) => Object.hasOwn(service, name))
  if (dangerous !== undefined) throw new Violation(`a service with ${dangerous} was accepted`)
  for (const volume of (service["volumes"] ?? []) as string[])
    if (volume.startsWith("/") ? volume.split(":")[0] !== SOCKET : volume.startsWith("."))
      throw new Violation(`volume ${volume} was accepted`)
}

export const composeFile: Subject = {
  name: "compose file",
  weight: 10,
  run: (rng, target): Attempt<unknown> => {
    const text = mutatedFile(rng)
    const bytes = rng.oneIn(10) ? mutateBytes(rng, utf8ToBytes(text)) : utf8ToBytes(text)
    const bound = composeHashOf(rng.oneIn(12) ? utf8ToBytes(JSON.stringify(file)) : bytes)
    const outcome = attempt(() => target.appraiseComposeFile(bytes, bound, COMPOSE_POLICY))
    if (outcome.status === "refused") return outcome
    if (composeHashOf(bytes) !== bound) throw new Violation("a file was accepted under another file's hash")
    mustEqual("the compose file", outcome.value, factsOf(Buffer.from(bytes).toString("utf8")))
    return outcome
  },
}
