import { expect, test } from "vitest"
import { checkDockerCompose } from "./dockerCompose.ts"
import type { ComposeCode, MalformedCode } from "./errors.ts"

const IMAGE = `registry.example:5000/a/b:1.2@sha256:${"0a".repeat(32)}`
const PATHS = ["/var/run/dstack.sock"]
const check = (document: unknown) => checkDockerCompose(document, PATHS)
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
  ["a path by variable", service({ volumes: ["$HOME:/a"] }), "COMPOSE_FIELD"],
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
  ["no confinement", service({ security_opt: ["apparmor:unconfined"] }), "COMPOSE_FIELD"],
  ["logs to somewhere else", service({ logging: { driver: "syslog" } }), "COMPOSE_FIELD"],
  ["logging without a driver", service({ logging: {} }), "COMPOSE_FIELD"],
])("%s is refused", (_, document, code) => {
  expect(() => check(document)).toThrow(code)
})
