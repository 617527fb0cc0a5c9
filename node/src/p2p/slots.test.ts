import { describe, expect, test } from "vitest"
import { createSlots } from "./slots.ts"

describe("slots", () => {
  test("a full group lets its own oldest go", () => {
    const slots = createSlots<string>({ total: 10, perGroup: 2 })
    expect(["other", "a1", "a2"].flatMap((item) => slots.add(item, item.charAt(0)))).toEqual([])
    expect(slots.add("a3", "a")).toEqual(["a1"])
    expect(slots.add("a4", "a")).toEqual(["a2"])
    expect(slots.size).toBe(3)
  })

  test("a full whole lets the oldest of its largest group go", () => {
    const slots = createSlots<string>({ total: 4, perGroup: 3 })
    for (const item of ["b1", "a1", "a2", "a3"]) slots.add(item, item.charAt(0))
    expect(slots.add("c1", "c")).toEqual(["a1"])
    expect(slots.add("d1", "d")).toEqual(["a2"])
  })

  test("of groups of one the oldest goes", () => {
    const slots = createSlots<string>({ total: 2, perGroup: 2 })
    for (const item of ["a", "b"]) slots.add(item, item)
    expect(slots.add("c", "c")).toEqual(["a"])
  })

  test("a place that was given back is free", () => {
    const slots = createSlots<string>({ total: 2, perGroup: 2 })
    for (const item of ["a1", "a2"]) slots.add(item, "a")
    expect([slots.remove("a1"), slots.remove("a1")]).toEqual([true, false])
    expect(slots.add("a3", "a")).toEqual([])
  })
})
