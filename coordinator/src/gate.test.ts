import { expect, test } from "vitest"
import { rejectionCodeOf } from "../../test/support/codeOf.ts"
import { createGate } from "./gate.ts"

const limits = { atWork: 2, waiting: 3, perSource: 4 }

/** Work that ends when told; `begun` has its names in order. */
function scene() {
  const gate = createGate(limits)
  const begun: string[] = []
  const ends: (() => void)[] = []
  const pass = (source: string, name: string) =>
    gate.pass(source, () => {
      begun.push(name)
      return new Promise<string>((resolve) => ends.push(() => resolve(name)))
    })
  const settle = async () => {
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
  return { gate, begun, pass, settle, end: () => ends.shift()?.() }
}

test("only so much is at work; sources that wait take turns", async () => {
  const { begun, pass, settle, end } = scene()
  const passed = [pass("a", "a1"), pass("a", "a2"), pass("a", "a3"), pass("a", "a4"), pass("b", "b1")]
  await settle()
  expect(begun).toEqual(["a1", "a2"])
  for (let i = 0; i < passed.length; i++) {
    end()
    await settle()
  }
  expect(begun).toEqual(["a1", "a2", "a3", "b1", "a4"])
  expect(await Promise.all(passed)).toEqual(["a1", "a2", "a3", "a4", "b1"])
})

test("what is above the limits is refused, and room comes back", async () => {
  const { gate, pass, settle, end } = scene()
  const passed = [1, 2, 3, 4].map((i) => pass("a", `a${i}`))
  expect(await rejectionCodeOf(() => pass("a", "a5"))).toBe("TOO_MANY_AT_ONCE")
  passed.push(pass("b", "b1"))
  expect(await rejectionCodeOf(() => pass("b", "b2"))).toBe("BUSY")
  for (let i = 0; i < passed.length; i++) {
    end()
    await settle()
  }
  await Promise.all(passed)
  expect(await gate.pass("a", async () => "again")).toBe("again")
})

test("work that fails leaves its place to others", async () => {
  const { gate } = scene()
  for (let i = 0; i < 10; i++)
    await expect(gate.pass("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no")
  expect(await gate.pass("a", async () => "fine")).toBe("fine")
})

test("a source that fills the line makes room for others, the newest of it first, down to an equal share", async () => {
  const { begun, pass, settle, end } = scene()
  const outcomes = ["a1", "a2", "a3", "a4", "b1", "c1", "d1"].map((name) =>
    pass(name.charAt(0), name).catch((error: unknown) => (error as { detail: { code: string } }).detail.code),
  )
  await settle()
  for (let i = 0; i < 5; i++) {
    end()
    await settle()
  }
  expect(await Promise.all(outcomes)).toEqual(["a1", "a2", "a3", "BUSY", "b1", "c1", "BUSY"])
  expect(begun).toEqual(["a1", "a2", "a3", "b1", "c1"])
})
