/**
 * Nothing in a run may ask the machine for time or chance: what tries to is found here, by name. Rejections that nobody
 * handles belong to the run in which they happen.
 */
import { SimulationFailure } from "./failure.ts"

type Fail = (error: SimulationFailure) => void

let fail: Fail | null = null

/** Curve multiplications are blinded with fresh randomness; no result depends on it. */
const BLINDING = /ScalarMultiplier\.mulCTBlinded|at k2sig /

function guard<T extends object>(owner: T, name: keyof T & string): void {
  const original = owner[name] as unknown as (...values: unknown[]) => unknown
  const guarded = function (this: unknown, ...values: unknown[]): unknown {
    if (fail !== null) {
      const stack = new Error().stack ?? ""
      if (!BLINDING.test(stack)) fail(new SimulationFailure("deterministic", `${name} was called: ${stack}`))
    }
    return original.apply(this, values)
  }
  owner[name] = guarded as unknown as T[keyof T & string]
}

let installed = false

/** Watches until the returned function is called. */
export function watchMachine(onFailure: Fail): () => void {
  if (!installed) {
    installed = true
    guard(Date, "now")
    guard(Math, "random")
    guard(globalThis, "setTimeout")
    guard(globalThis, "setInterval")
    guard(Object.getPrototypeOf(crypto) as typeof crypto, "getRandomValues")
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
