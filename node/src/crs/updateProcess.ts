/**
 * One update of the CRS in a process of its own, which ends with it (docs/crs.md). It is given the public state and the place
 * in the ceremony by a pipe and gives the message back by another; no argument and no environment says more than that.
 *
 * Security: limits of time and memory hold whatever the process does, it leaves no core file, and it is ended as soon as
 * nobody wants its message any more.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { concatBytes } from "@twinlock/sdk/protocol/codec"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { RUNTIME_FLAGS } from "../cli/runtime.ts"
import type { Scheduler } from "../clock.ts"
import type { CrsContext } from "../threshold/crsCeremony.ts"
import { encodeUpdateRequest } from "./updateRequest.ts"

export type CrsUpdateErrorCode =
  /** the process could not be started, or ended without a message. */
  | "CRS_UPDATE_FAILED"
  /** the process took too long and was ended. */
  | "CRS_UPDATE_TIMEOUT"
  /** the attempt ended before the process did. */
  | "CRS_UPDATE_STOPPED"

export type UpdateProcessOptions = {
  readonly timeoutMs: number
  /** Writable memory of its own; the runtime reserves some 600 MB that it never touches. */
  readonly maxMegabytes: number
  /** Arguments of the Node.js runtime that name the program. */
  readonly program: readonly string[]
}

/** An update takes 11 s of CPU and 15 MB beyond the runtime; no longer than its round may take. */
export const UPDATE_PROCESS: UpdateProcessOptions = {
  timeoutMs: 300_000,
  maxMegabytes: 1024,
  program: [join(import.meta.dirname, "updateProgram.ts")],
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
/** The kernel's own limits; the runtime has no call for them. `$0` is the memory in kilobytes. */
const LIMITED = 'ulimit -c 0 && ulimit -d "$0" && exec "$@"'
/** What the program says of a failure. */
const CODE = /^[A-Z0-9_]{1,64}$/

/** @throws CRS_UPDATE_FAILED, CRS_UPDATE_TIMEOUT, CRS_UPDATE_STOPPED once `signal` aborts */
export type UpdateCrs = (
  previous: Uint8Array | null,
  context: CrsContext,
  signal: AbortSignal,
) => Promise<Uint8Array>

export const createUpdateProcess =
  (scheduler: Scheduler, options: UpdateProcessOptions = UPDATE_PROCESS): UpdateCrs =>
  (previous, context, signal) =>
    new Promise((resolve, reject) => {
      const { timeoutMs, maxMegabytes, program } = options
      const command = [process.execPath, ...RUNTIME_FLAGS, ...program]
      const child = spawn("/bin/sh", ["-c", LIMITED, String(maxMegabytes * 1024), ...command], {
        env: {},
        stdio: "pipe",
      })
      const message: Uint8Array[] = []
      let received = 0
      let said = ""
      let ended: ProtocolError | null = null
      const end = (reason: ProtocolError): void => {
        ended ??= reason
        child.kill("SIGKILL")
      }
      const cancel = scheduler.after(timeoutMs, () =>
        end(updateError("CRS_UPDATE_TIMEOUT", `an update of the CRS took longer than ${timeoutMs} ms`)),
      )
      const stop = (): void => end(updateError("CRS_UPDATE_STOPPED", "nobody waits for the update any more"))
      if (signal.aborted) stop()
      else signal.addEventListener("abort", stop)
      const over = (): void => {
        cancel()
        signal.removeEventListener("abort", stop)
      }
      const fail = (how: string): void =>
        reject(ended ?? updateError("CRS_UPDATE_FAILED", `the process of a CRS update ${how}`))
      child.stdout.on("data", (chunk: Buffer) => {
        message.push(chunk)
        received += chunk.length
        if (received > MAX_MESSAGE_BYTES) child.kill("SIGKILL")
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        if (said.length <= 64) said += text
      })
      child.stdin.on("error", () => {}) // a process that is gone says so below
      child.once("error", (error) => {
        over()
        fail(`cannot be started: ${error.message}`)
      })
      child.once("close", (code, killedBy) => {
        over()
        if (code === 0 && received > 0) resolve(concatBytes(...message))
        else fail(`ended with ${killedBy ?? `exit code ${code}`}${CODE.test(said) ? `: ${said}` : ""}`)
      })
      child.stdin.end(encodeUpdateRequest(previous, context))
    })

const updateError = (code: CrsUpdateErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })
