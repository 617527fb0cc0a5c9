/** Waits for the verdicts of k executors on this attempt's task. */
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address, Digest, KeyId } from "@twinlock/sdk/protocol/ids"
import type { Scheduler } from "../clock.ts"
import { agreedResult, decodeVerdict, type Verdict, type VerdictTerms } from "./verdict.ts"

export type VerdictErrorCode =
  /** too many executors refused the key for k of them to accept it. */
  | "SELF_TEST_REFUSED"
  /** fewer than k equal verdicts in time. */
  | "SELF_TEST_SILENT"
  /** a verdict of no executor of this key, of another task, or sent by somebody else. */
  | "SELF_TEST_FOREIGN"

export const verdictError = (code: VerdictErrorCode, message: string): ProtocolError =>
  new ProtocolError({ code, message })

/** What an executor may say to this key's parties, live and in the transcript. @throws SELF_TEST_FOREIGN */
export function checkVerdict(
  verdict: Verdict,
  { keyId, attempt, executors, taskDigest }: VerdictTerms,
): void {
  const named = verdict.keyId === keyId && verdict.attempt === attempt && executors.includes(verdict.executor)
  if (!named || (taskDigest !== null && verdict.taskDigest !== taskDigest))
    throw verdictError(
      "SELF_TEST_FOREIGN",
      `verdict of ${verdict.executor} on ${verdict.taskDigest} of key ${verdict.keyId}, attempt ${verdict.attempt}`,
    )
}

export type VerdictCollectorOptions = {
  readonly keyId: KeyId
  readonly attempt: number
  readonly executors: readonly Address[]
  readonly k: number
  readonly timeoutMs: number
  readonly scheduler: Scheduler
  readonly signal: AbortSignal
}

export type VerdictCollector = {
  /** Takes what an executor sent. @throws SELF_TEST_FOREIGN and what decoding throws, so the sender is refused */
  receive(from: Address, payload: Uint8Array): void
  /** Verdicts on `taskDigest` once k of them agree. @throws SELF_TEST_REFUSED, SELF_TEST_SILENT */
  wait(taskDigest: Digest): Promise<readonly Verdict[]>
}

export function createVerdictCollector(options: VerdictCollectorOptions): VerdictCollector {
  const { keyId, attempt, executors, k, scheduler, signal } = options
  const held = new Map<Address, Verdict>()
  let check = (): void => {}

  return {
    receive(from, payload) {
      const verdict = decodeVerdict(payload)
      checkVerdict(verdict, { keyId, attempt, executors, taskDigest: null })
      if (verdict.executor !== from)
        throw verdictError("SELF_TEST_FOREIGN", `verdict of ${verdict.executor} from ${from}`)
      if (!held.has(from)) held.set(from, verdict)
      check()
    },
    wait(taskDigest) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly Verdict[]>()
      const cancel = scheduler.after(options.timeoutMs, () =>
        reject(verdictError("SELF_TEST_SILENT", `want ${k} equal verdicts, have ${held.size} of any kind`)),
      )
      const stop = (): void => reject(verdictError("SELF_TEST_SILENT", "the attempt has ended"))
      signal.addEventListener("abort", stop)
      check = () => {
        const ours = [...held.values()].filter((verdict) => verdict.taskDigest === taskDigest)
        const agreed = agreedResult(ours, executors, k)
        if (agreed !== null) return resolve(agreed.verdicts)
        const refused = ours.flatMap(({ executor, outcome }) =>
          outcome.ok ? [] : [`${executor} ${outcome.code}`],
        )
        if (refused.length > executors.length - k)
          reject(verdictError("SELF_TEST_REFUSED", `executors refused the key: ${refused.join(", ")}`))
      }
      check()
      return promise.finally(() => {
        cancel()
        signal.removeEventListener("abort", stop)
        check = () => {}
      })
    },
  }
}
