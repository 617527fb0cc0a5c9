import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test } from "vitest"
import { Secret } from "../secret.ts"
import { createLogger } from "./logger.ts"

function capture(): { lines: Record<string, unknown>[]; destination: { write(line: string): void } } {
  const lines: Record<string, unknown>[] = []
  return { lines, destination: { write: (line) => lines.push(JSON.parse(line)) } }
}

describe("logger", () => {
  test("a line carries level, fields and message", () => {
    const { lines, destination } = capture()
    createLogger({ level: "info", base: { name: "alice" }, destination }).info({ peer: "bob" }, "attested")
    expect(lines).toMatchObject([{ level: "info", name: "alice", peer: "bob", msg: "attested" }])
  })

  test("fields named as secrets and Secret values do not appear", () => {
    const { lines, destination } = capture()
    const logger = createLogger({ level: "debug", destination })
    logger.info({ privateKey: "feedface", nested: { seed: "feedface", deep: { share: "feedface" } } }, "x")
    logger.info({ held: new Secret(new Uint8Array([0xfe])) }, "y")
    expect(JSON.stringify(lines)).not.toContain("feedface")
    expect(lines[1]).toMatchObject({ held: "[secret]" })
  })

  test("errors are reduced to code, message and culprits", () => {
    const { lines, destination } = capture()
    const logger = createLogger({ level: "info", destination })
    logger.error({ err: new ProtocolError({ code: "SOME_RULE", message: "broken" }) }, "x")
    logger.error({ err: Object.assign(new Error("io"), { request: "feedface" }) }, "y")
    expect(lines[0]).toMatchObject({ err: { code: "SOME_RULE", message: "broken" } })
    expect(lines[1]).toMatchObject({ err: { type: "Error", message: "io" } })
    expect(JSON.stringify(lines)).not.toContain("feedface")
  })

  test("lines below the level are dropped", () => {
    const { lines, destination } = capture()
    createLogger({ level: "warn", destination }).info({}, "x")
    expect(lines).toEqual([])
  })
})
