import { expect, test } from "vitest"
import { checkDockerCompose } from "./dockerCompose.ts"
import type { ComposeCode, MalformedCode } from "./errors.ts"

const IMAGE = `registry.example:5000/a/b:1.2@sha256:${"0a".repeat(32)}`
const PATHS = ["/var/run/dstack.sock"]
const check = (document: unknown) => checkDockerCompose(document, PATHS, ["LOG_LEVEL"])
const service = (members: Readonly<Record<string, unknown>>) => ({
  services: { a: { image: IMAGE, ...members } },
})

test("services are named with their pinned images", () => {
  const document = {
    version: "3.8",
    name: "node",
    services: {
      a: { image: IMAGE, volumes: ["data:/data", "/var/run/dstack.sock:/run/agent.sock:ro"] },
      b: { image: IMAGE, security_opt: ["no-new-privileges:true"], logging: { driver: "json-file" } },
    },
    volumes: { data: null, more: { name: "more" } },
    networks: { inner: { internal: true } },
  }
  expect(check(document)).toEqual([
    { service: "a", reference: IMAGE, digest: `0x${"0a".repeat(32)}` },
    { service: "b", reference: IMAGE, digest: `0x${"0a".repeat(32)}` },
  ])
})

test.each<[string, unknown, ComposeCode | MalformedCode]>([
  ["no object", [], "COMPOSE_MALFORMED"],
  ["nothing", null, "COMPOSE_MALFORMED"],
  ["no services", {}, "COMPOSE_MALFORMED"],
  ["an empty list of services", { services: {} }, "COMPOSE_MALFORMED"],
  ["a service that is text", { services: { a: IMAGE } }, "COMPOSE_MALFORMED"],
  ["another file", { ...service({}), include: ["x.yml"] }, "COMPOSE_FIELD"],
  ["an extension", { ...service({}), "x-more": {} }, "COMPOSE_FIELD"],
  ["secrets of the host", { ...service({}), secrets: {} }, "COMPOSE_FIELD"],
  ["an image by tag", service({ image: "node:24" }), "COMPOSE_IMAGE"],
  ["an image of a variable", service({ image: `\${IMAGE}@sha256:${"0a".repeat(32)}` }), "COMPOSE_IMAGE"],
  ["an image with a short digest", service({ image: "node@sha256:0a0a" }), "COMPOSE_IMAGE"],
  ["an image with text after its digest", service({ image: `${IMAGE} ` }), "COMPOSE_IMAGE"],
  ["an image with another hash", service({ image: `node@sha512:${"0a".repeat(64)}` }), "COMPOSE_IMAGE"],
  ["no image", service({ image: undefined }), "COMPOSE_IMAGE"],
  ["a build", service({ build: "." }), "COMPOSE_FIELD"],
  ["another service's members", service({ extends: { file: "x.yml", service: "a" } }), "COMPOSE_FIELD"],
  ["a provider", service({ provider: { type: "x" } }), "COMPOSE_FIELD"],
  ["a file of variables", service({ env_file: "x" }), "COMPOSE_FIELD"],
  ["privileges", service({ privileged: true }), "COMPOSE_FIELD"],
  ["capabilities", service({ cap_add: ["ALL"] }), "COMPOSE_FIELD"],
  ["devices", service({ devices: ["/dev/sda"] }), "COMPOSE_FIELD"],
  ["the guest's processes", service({ pid: "host" }), "COMPOSE_FIELD"],
  ["the guest's network", service({ network_mode: "host" }), "COMPOSE_FIELD"],
  [
    "the container runtime",
    service({ volumes: ["/var/run/docker.sock:/var/run/docker.sock"] }),
    "COMPOSE_FIELD",
  ],
  ["a relative path", service({ volumes: ["./a:/a"] }), "COMPOSE_FIELD"],
  ["a path above", service({ volumes: ["..:/a"] }), "COMPOSE_FIELD"],
  ["a path by variable", service({ volumes: ["$HOME:/a"] }), "COMPOSE_ENVIRONMENT"],
  ["a target by variable", service({ volumes: ["data:/$LOG_LEVEL"] }), "COMPOSE_ENVIRONMENT"],
  ["a command of the host", service({ command: ["sh", "-c", `\${LOG_LEVEL}`] }), "COMPOSE_ENVIRONMENT"],
  ["an entry point of the host", service({ entrypoint: "$LOG_LEVEL" }), "COMPOSE_ENVIRONMENT"],
  ["a default of the host's", service({ user: `\${LOG_LEVEL:-root}` }), "COMPOSE_ENVIRONMENT"],
  ["three dollar signs", service({ user: "$$$LOG_LEVEL" }), "COMPOSE_ENVIRONMENT"],
  ["a label by variable", service({ labels: { a: `\${LOG_LEVEL}` } }), "COMPOSE_ENVIRONMENT"],
  ["a member's name by variable", service({ labels: { [`\${LOG_LEVEL}`]: "a" } }), "COMPOSE_ENVIRONMENT"],
  [
    "options of the logs by variable",
    service({ logging: { driver: "local", options: { a: "$A" } } }),
    "COMPOSE_ENVIRONMENT",
  ],
  ["a service's name by variable", { services: { $A: { image: IMAGE } } }, "COMPOSE_ENVIRONMENT"],
  ["a project's name by variable", { ...service({}), name: "$A" }, "COMPOSE_ENVIRONMENT"],
  [
    "another variable of the host",
    service({ environment: { NODE_OPTIONS: `\${LOG_LEVEL}` } }),
    "COMPOSE_ENVIRONMENT",
  ],
  [
    "more than the variable",
    service({ environment: { LOG_LEVEL: `\${LOG_LEVEL} ` } }),
    "COMPOSE_ENVIRONMENT",
  ],
  ["a variable that the host may not set", service({ environment: { A: `\${A}` } }), "COMPOSE_ENVIRONMENT"],
  ["a variable handed through", service({ environment: ["NODE_OPTIONS"] }), "COMPOSE_ENVIRONMENT"],
  ["a variable without value", service({ environment: { NODE_OPTIONS: null } }), "COMPOSE_ENVIRONMENT"],
  ["a variable of another name", service({ environment: [`A=\${LOG_LEVEL}`] }), "COMPOSE_ENVIRONMENT"],
  ["a variable's name by variable", service({ environment: { $A: "a" } }), "COMPOSE_ENVIRONMENT"],
  ["variables that are text", service({ environment: "A=a" }), "COMPOSE_MALFORMED"],
  ["a variable that is no text", service({ environment: [1] }), "COMPOSE_MALFORMED"],
  [
    "an allowed path with more after it",
    service({ volumes: ["/var/run/dstack.sock/..:/a"] }),
    "COMPOSE_FIELD",
  ],
  ["a volume without source", service({ volumes: ["/data"] }), "COMPOSE_FIELD"],
  [
    "a volume in the long form",
    service({ volumes: [{ type: "bind", source: "/", target: "/a" }] }),
    "COMPOSE_FIELD",
  ],
  ["a volume with a strange mode", service({ volumes: ["data:/a:shared"] }), "COMPOSE_FIELD"],
  ["volumes that are no list", service({ volumes: "data:/a" }), "COMPOSE_MALFORMED"],
  ["a volume with a driver", { ...service({}), volumes: { a: { driver: "local" } } }, "COMPOSE_FIELD"],
  ["an external network", { ...service({}), networks: { a: { external: true } } }, "COMPOSE_FIELD"],
  ["the network of the guest", { ...service({}), networks: { a: { name: "host" } } }, "COMPOSE_FIELD"],
  ["a network by path", { ...service({}), networks: { a: { name: "../a" } } }, "COMPOSE_FIELD"],
  ["a volume by path", { ...service({}), volumes: { a: { name: "/a" } } }, "COMPOSE_FIELD"],
  [
    "a network that is internal in words",
    { ...service({}), networks: { a: { internal: "no" } } },
    "COMPOSE_MALFORMED",
  ],
  ["an undeclared network", service({ networks: ["host"] }), "COMPOSE_FIELD"],
  [
    "options for a network's driver",
    { ...service({ networks: { a: { driver_opts: { b: "c" } } } }), networks: { a: null } },
    "COMPOSE_FIELD",
  ],
  [
    "a network's alias by variable",
    { ...service({ networks: { a: { aliases: ["$A"] } } }), networks: { a: null } },
    "COMPOSE_ENVIRONMENT",
  ],
  ["what is no JSON", service({ mem_limit: 1n }), "COMPOSE_MALFORMED"],
  ["a date", service({ labels: { a: new Date(Number.NaN) } }), "COMPOSE_MALFORMED"],
  ["an image that is no text", service({ image: 1n }), "COMPOSE_IMAGE"],
  ["no confinement", service({ security_opt: ["apparmor:unconfined"] }), "COMPOSE_FIELD"],
  ["logs to somewhere else", service({ logging: { driver: "syslog" } }), "COMPOSE_FIELD"],
  ["logging without a driver", service({ logging: {} }), "COMPOSE_FIELD"],
])("%s is refused", (_, document, code) => {
  expect(() => check(document)).toThrow(code)
})

test("a text may hold dollar signs, and a variable the host's value of its own name", () => {
  const members = [
    { environment: { LOG_LEVEL: `\${LOG_LEVEL}`, OTHER: "a", PORT: 80, PRICE: "1$$" } },
    { environment: { LOG_LEVEL: null } },
    { environment: ["LOG_LEVEL", `LOG_LEVEL=\${LOG_LEVEL}`, "OTHER=a=b"] },
    { command: ["echo", "$$HOME", "$$$$"] },
    { networks: ["inner", "default"] },
    { networks: { inner: { aliases: ["a"] }, default: null } },
  ]
  for (const more of members)
    expect(check({ ...service(more), networks: { inner: { name: "inner" } } })).toHaveLength(1)
})

test("a document without end is refused with a typed error", () => {
  const labels: Record<string, unknown> = {}
  labels["a"] = labels
  expect(() => check(service({ labels }))).toThrow("COMPOSE_MALFORMED")
})
