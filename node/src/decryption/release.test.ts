import { taggedHash } from "@twinlock/sdk/protocol/codec"
import { blobBytesOf, FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import { expect, test } from "vitest"
import { createPrefetchingSource } from "../blobs/prefetch.ts"
import { createManualClock } from "../clock.ts"
import type { Authorised } from "./authorisePublic.ts"
import { checkWords, sharesOf } from "./release.ts"

const fheType = FHE_TYPES.uint64
const authorised = {
  subject: taggedHash("subject"),
  ciphertexts: [{ session: taggedHash("session"), squashedDigest: taggedHash("words"), fheType }],
} as unknown as Authorised

test("words are kept from their check until the share is made, and no longer", async () => {
  let fetched = 0
  const blobs = createPrefetchingSource({
    clock: createManualClock(),
    source: {
      get: async () => {
        fetched += 1
        return new Uint8Array(blobBytesOf(fheType))
      },
    },
  })
  const share = new Uint8Array(64)
  let fails = true
  const holder = {
    decryptionShares: async () => {
      if (fails) throw new Error("two computations differ")
      return [share]
    },
  }
  await checkWords(authorised, blobs)
  await expect(sharesOf([authorised], { blobs, holder })).rejects.toThrow("differ")
  expect(blobs.usedBytes).toBe(blobBytesOf(fheType))
  fails = false
  expect(await sharesOf([authorised], { blobs, holder })).toHaveLength(1)
  expect([fetched, blobs.usedBytes]).toEqual([1, 0])
})
