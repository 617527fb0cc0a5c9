/**
 * Nothing in a run may ask the machine for time or chance: what tries to is found here, by name. Rejections that nobody
 * handles belong to the run in which they happen.
 */
import nodeCrypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { SimulationFailure } from "./failure.ts"

type Fail = (error: SimulationFailure) => void

let fail: Fail | null = null

/** Curve multiplications are blinded with fresh randomness; no result depends on it. */
const BLINDING = /ScalarMultiplier\.mulCTBlinded|at k2sig /

/** Reports a call of `name` in a run. */
function noticed(name: string): void {
  if (fail === null) return
  const stack = new Error().stack ?? ""
  if (!BLINDING.test(stack)) fail(new SimulationFailure("deterministic", `${name} was called: ${stack}`))
}

function guard<T extends object>(owner: T, names: readonly (keyof T & string)[]): void {
  for (const name of names) {
    const original = owner[name] as unknown as (...values: unknown[]) => unknown
    const guarded = function (this: unknown, ...values: unknown[]): unknown {
      noticed(name)
      return original.apply(this, values)
    }
    owner[name] = Object.assign(guarded, original) as unknown as T[keyof T & string]
  }
}

/** `new Date()` and `Date()` read the clock; with a time given they do not. */
function guardDate(): void {
  const original = Date
  globalThis.Date = new Proxy(original, {
    construct(target, values, newTarget) {
      if (values.length === 0) noticed("new Date")
      return Reflect.construct(target, values, newTarget)
    },
    apply(target, self, values) {
      noticed("Date")
      return Reflect.apply(target, self, values)
    },
  })
}

let installed = false

/** Watches until the returned function is called. */
export function watchMachine(onFailure: Fail): () => void {
  if (!installed) {
    installed = true
    guard(Date, ["now"])
    guardDate()
    guard(Math, ["random"])
    guard(globalThis, ["setTimeout", "setInterval", "setImmediate"])
    guard(performance, ["now"])
    guard(process.hrtime, ["bigint"])
    guard(process, ["hrtime", "uptime"])
    guard(AbortSignal, ["timeout"])
    guard(Object.getPrototypeOf(crypto) as typeof crypto, ["getRandomValues", "randomUUID"])
    guard(nodeCrypto, ["randomBytes", "randomFill", "randomFillSync", "randomInt", "randomUUID"])
    // Who imported them by name gets the guarded ones.
    syncBuiltinESMExports()
    const unhandled = (error: unknown): void => {
      if (fail === null) throw error
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      fail(new SimulationFailure("unhandled", text))
    }
    process.on("unhandledRejection", unhandled).on("uncaughtException", unhandled)
  }
  fail = onFailure
  return () => {
    fail = null
  }
}
