import { describe, expect, test, vi } from "vitest"
import type { ServerKey, ServerKeyFile } from "../threshold/serverKey.ts"
import { createLoadedKeys } from "./loadedKeys.ts"

const file = (path: string): ServerKeyFile => ({ path, sha256: new Uint8Array(32) })

/** Keys that say when they are freed. */
function scene(refused: readonly string[] = []) {
  const freed: string[] = []
  const load = vi.fn(async ({ path }: ServerKeyFile) => {
    if (refused.includes(path)) throw new Error(`no key at ${path}`)
    return { destroy: () => void freed.push(path) } as unknown as ServerKey
  })
  return { keys: createLoadedKeys(load), freed, load }
}

describe("keys in memory", () => {
  test("a key that was tested is served without loading it again", async () => {
    const { keys, load } = scene()
    const tested = await keys.test(file("a"))
    expect(await keys.serve(file("a"))).toBe(tested)
    expect(load).toHaveBeenCalledTimes(1)
  })

  test("the next test frees the key of the last one, but none that is served", async () => {
    const { keys, freed } = scene()
    await keys.serve(file("served"))
    await keys.test(file("failed"))
    await keys.test(file("next"))
    expect(freed).toEqual(["failed"])
    await keys.serve(file("next"))
    await keys.test(file("later"))
    expect(freed).toEqual(["failed"])
  })

  test("a key that is dropped is freed and loaded anew, one that is served is neither", async () => {
    const { keys, freed, load } = scene()
    await keys.test(file("a"))
    keys.drop("a")
    keys.drop("unknown")
    await keys.serve(file("a"))
    keys.drop("a")
    await keys.test(file("b"))
    expect(freed).toEqual(["a"])
    expect(load).toHaveBeenCalledTimes(3)
  })

  test("what does not load is tried again", async () => {
    const refused = ["a"]
    const { keys } = scene(refused)
    await expect(keys.serve(file("a"))).rejects.toThrow("no key at a")
    refused.pop()
    await expect(keys.serve(file("a"))).resolves.toBeDefined()
  })
})
