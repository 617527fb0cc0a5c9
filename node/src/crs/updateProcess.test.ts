import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { describe, expect, test, vi } from "vitest"
import { codeOf } from "../../../test/support/codeOf.ts"
import { createManualClock, holdingScheduler, type Scheduler } from "../clock.ts"
import { createUpdateProcess, UPDATE_PROCESS } from "./updateProcess.ts"
import { decodeUpdateRequest, encodeUpdateRequest } from "./updateRequest.ts"

const CONTEXT = { ceremonyId: new Uint8Array(32).fill(7), round: 3, party: 2 }

describe("the request", () => {
  test("is read as it was written", () => {
    for (const previous of [null, Uint8Array.of(1, 2, 3)])
      expect(decodeUpdateRequest(encodeUpdateRequest(previous, CONTEXT))).toEqual({
        previous,
        context: CONTEXT,
      })
  })

  test("of another length is refused", () => {
    const request = encodeUpdateRequest(Uint8Array.of(1), CONTEXT)
    expect(codeOf(() => decodeUpdateRequest(request.slice(0, -1)))).toBe("CODEC_SHORT")
    expect(codeOf(() => decodeUpdateRequest(Uint8Array.of(...request, 0)))).toBe("CODEC_TRAILING")
  })
})

const UNENDING = new AbortController().signal

/** An update by a program that is no update. */
const running = (
  source: string,
  scheduler: Scheduler = holdingScheduler,
  signal: AbortSignal = UNENDING,
): Promise<Uint8Array> =>
  createUpdateProcess(scheduler, { ...UPDATE_PROCESS, program: ["--input-type=module", "--eval", source] })(
    Uint8Array.of(9),
    CONTEXT,
    signal,
  )

async function failureOf(update: Promise<Uint8Array>): Promise<string> {
  try {
    await update
  } catch (error) {
    if (isProtocolError(error)) return `${error.detail.code}: ${error.detail.message}`
    throw error
  }
  return "none"
}

describe("the process", () => {
  test("gets the request by its standard input, and nothing by arguments or environment", async () => {
    const told = await running(`
      const { buffer } = await import("node:stream/consumers")
      const request = await buffer(process.stdin)
      const { argv, env } = process
      process.stdout.write(JSON.stringify({ arguments: argv.slice(1), env, request: request.toString("hex") }))
    `)
    const { arguments: words, env, request } = JSON.parse(new TextDecoder().decode(told))
    expect(words).toEqual([])
    // the shell sets these by itself
    expect(Object.keys(env).filter((name) => !["PWD", "_", "OLDPWD", "SHLVL"].includes(name))).toEqual([])
    expect(request).toBe(Buffer.from(encodeUpdateRequest(Uint8Array.of(9), CONTEXT)).toString("hex"))
  })

  test("may leave no core file and take no more memory than it is given", async () => {
    const told = await running(`
      const { readFileSync } = await import("node:fs")
      process.stdout.write(readFileSync("/proc/self/limits"))
    `)
    const limits = new TextDecoder().decode(told)
    expect(limits).toMatch(/Max core file size\s+0\s+0 /)
    expect(limits).toMatch(/Max data size\s+1073741824\s+1073741824 /)
    const greedy = running(`process.stdout.write(String(Buffer.alloc(2 ** 31, 1).length))`)
    expect(await failureOf(greedy)).toMatch(/^CRS_UPDATE_FAILED: .*ended with/)
  })

  test("that takes too long is ended", async () => {
    const clock = createManualClock()
    const started = Promise.withResolvers<void>()
    const scheduler: Scheduler = {
      after(milliseconds, task) {
        started.resolve()
        return clock.after(milliseconds, task)
      },
    }
    const update = failureOf(running("setInterval(() => {}, 1000)", scheduler))
    await started.promise
    clock.advance(UPDATE_PROCESS.timeoutMs)
    expect(await update).toMatch(/^CRS_UPDATE_TIMEOUT: .* 300000 ms/)
  })

  test("that sleeps is gone as soon as its attempt ends", async () => {
    const folder = await mkdtemp(join(tmpdir(), "update-"))
    const path = join(folder, "pid")
    const attempt = new AbortController()
    const update = failureOf(
      running(
        `
        const { renameSync, writeFileSync } = await import("node:fs")
        writeFileSync("${path}.new", String(process.pid))
        renameSync("${path}.new", "${path}")
        process.on("SIGTERM", () => {})
        setInterval(() => {}, 1000)
      `,
        holdingScheduler,
        attempt.signal,
      ),
    )
    const pid = Number(await vi.waitFor(() => readFile(path, "utf8"), { timeout: 60_000 }))
    expect(process.kill(pid, 0)).toBe(true)
    attempt.abort()
    expect(await update).toBe("CRS_UPDATE_STOPPED: nobody waits for the update any more")
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
    await rm(folder, { recursive: true })
  })

  test("does not outlive an attempt that is over already", async () => {
    const update = failureOf(running("setInterval(() => {}, 1000)", holdingScheduler, AbortSignal.abort()))
    expect(await update).toMatch(/^CRS_UPDATE_STOPPED/)
  })

  test.each([
    ["ends early", "process.exitCode = 3", "exit code 3"],
    ["is killed", `process.kill(process.pid, "SIGTERM")`, "SIGTERM"],
    ["says nothing", "", "exit code 0"],
    ["says too much", "process.stdout.write(new Uint8Array(5e6))", "SIGKILL"],
    ["names a code", `process.stderr.write("CRS_GAP"); process.exitCode = 1`, "exit code 1: CRS_GAP"],
    ["chatters", `process.stderr.write("no code"); process.exitCode = 1`, "exit code 1"],
  ])("that %s fails, and says how", async (_, source, how) => {
    expect(await failureOf(running(source))).toBe(
      `CRS_UPDATE_FAILED: the process of a CRS update ended with ${how}`,
    )
  })

  test("that cannot be started fails", async () => {
    const { execPath } = process
    process.execPath = "/nowhere/node"
    try {
      expect(await failureOf(running(""))).toMatch(/^CRS_UPDATE_FAILED: .*exit code 127$/)
    } finally {
      process.execPath = execPath
    }
  })

  test("refuses what is no state, naming the addon's code", async () => {
    const update = createUpdateProcess(holdingScheduler)(Uint8Array.of(9), CONTEXT, UNENDING)
    expect(await failureOf(update)).toBe(
      "CRS_UPDATE_FAILED: the process of a CRS update ended with exit code 1: CRS_LENGTH",
    )
  })
})
