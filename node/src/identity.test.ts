import { inspect } from "node:util"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { describe, expect, test } from "vitest"
import { initIdentity, loadIdentity, publicIdentity } from "./identity.ts"
import { createMemoryStore } from "./storage/memoryStore.ts"

let counter = 0
const rng = (length: number): Uint8Array => new Uint8Array(length).fill(++counter)

describe("identity", () => {
  test("is made once and loaded afterwards", async () => {
    const store = createMemoryStore()
    const made = publicIdentity(await initIdentity(store, rng))
    expect(publicIdentity(await initIdentity(store, rng))).toEqual(made)
    expect(publicIdentity(await loadIdentity(store))).toEqual(made)
    expect(made.peerId).toMatch(/^12D3Koo/)
    expect(publicIdentity(await initIdentity(createMemoryStore(), rng))).not.toEqual(made)
  })

  test("a store without identity is refused", async () => {
    await expect(loadIdentity(createMemoryStore())).rejects.toThrow("IDENTITY_MISSING")
  })

  test("bytes that are no signing key are drawn again", async () => {
    const draws = [
      new Uint8Array(32).fill(1),
      new Uint8Array(32),
      new Uint8Array(32).fill(255),
      new Uint8Array(32).fill(9),
    ]
    const identity = await initIdentity(
      createMemoryStore(),
      () => draws.shift() ?? new Uint8Array(32).fill(7),
    )
    expect(identity.signerKey.use(toHex)).toBe(`0x${"09".repeat(32)}`)
  })

  test("neither printing nor JSON shows a key", async () => {
    const identity = await initIdentity(createMemoryStore(), (length) => new Uint8Array(length).fill(0xab))
    const shown = `${inspect(identity.signerKey)} ${JSON.stringify(publicIdentity(identity))}`
    expect(shown).not.toContain("ab".repeat(32))
    expect(shown).not.toContain("171, 171")
  })
})
