import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"

describe("manual clock", () => {
  test("runs due tasks in order of their time, also those that they schedule", () => {
    const clock = createManualClock(1000)
    const ran: string[] = []
    clock.after(20, () => ran.push(`late@${clock.now()}`))
    clock.after(10, () => {
      ran.push(`early@${clock.now()}`)
      clock.after(5, () => ran.push(`nested@${clock.now()}`))
    })
    clock.advance(30)
    expect(ran).toEqual(["early@1010", "nested@1015", "late@1020"])
    expect(clock.now()).toBe(1030)
  })

  test("a cancelled task does not run", () => {
    const clock = createManualClock()
    let ran = false
    const cancel = clock.after(1, () => {
      ran = true
    })
    cancel()
    clock.advance(10)
    expect(ran).toBe(false)
    expect(clock.pending()).toEqual([])
  })
})
