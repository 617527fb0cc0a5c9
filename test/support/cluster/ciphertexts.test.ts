import { createHash } from "node:crypto"
import { blobBytesOf, FHE_TYPES } from "@twinlock/sdk/protocol/fheType"
import { expect, test } from "vitest"
import { dealShares } from "../dealtShares.ts"
import { createCiphertexts } from "./ciphertexts.ts"

const dealt = dealShares({ n: 4, t: 1, seed: "ciphertexts" })

test.each([FHE_TYPES.uint16, FHE_TYPES.uint64])("words of type %i come back by their digest", (fheType) => {
  const ciphertexts = createCiphertexts(dealt, fheType)
  const made = [ciphertexts.next(), ciphertexts.next()]
  expect(new Set(made.map(({ digest }) => digest)).size).toBe(2)
  for (const { digest } of made) {
    const words = ciphertexts.words(digest) ?? new Uint8Array()
    expect(words).toHaveLength(blobBytesOf(fheType))
    expect(createHash("sha256").update(words).digest("hex")).toBe(digest)
  }
  expect(ciphertexts.words("00".repeat(32))).toBeNull()
})
