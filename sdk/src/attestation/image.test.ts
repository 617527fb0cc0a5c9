import { expect, test } from "vitest"
import { type Hex, parseDigest } from "../protocol/ids.ts"
import { entriesOfImage, type GuestImage, imageOf } from "./image.ts"
import { imageIdOf } from "./policy.ts"

const register = (byte: string): Hex => `0x${byte.repeat(48)}`
const image: GuestImage = {
  name: "guest 1",
  mrTd: register("11"),
  rtMr1: register("13"),
  rtMr2: register("14"),
  shapes: [
    { name: "small", rtMr0: register("a0") },
    { name: "large", rtMr0: register("b0") },
  ],
}
const shown = { mrTd: image.mrTd, rtMr0: register("b0"), rtMr1: image.rtMr1, rtMr2: image.rtMr2 }

test("an image is granted once per shape", () => {
  const digest = parseDigest(`0x${"77".repeat(32)}`)
  const grant = { role: "keyholder", composeHash: digest, providerId: digest, version: 2 } as const
  const entries = entriesOfImage(image, grant)
  expect(entries.map((entry) => entry.imageId)).toEqual([
    imageIdOf({ ...shown, rtMr0: register("a0") }),
    imageIdOf(shown),
  ])
  expect(entries[0]).toMatchObject(grant)
})

test("a report is recognised with its shape", () => {
  const successor = { ...image, name: "guest 2", rtMr2: register("15") }
  expect(imageOf(shown, [successor, image])).toEqual({ image, shape: image.shapes[1] })
})

test.each<[string, Partial<typeof shown>]>([
  ["firmware", { mrTd: register("99") }],
  ["shape", { rtMr0: register("99") }],
  ["kernel", { rtMr1: register("99") }],
  ["root file system", { rtMr2: register("99") }],
])("another %s is no known image", (_, changed) => {
  expect(imageOf({ ...shown, ...changed }, [image])).toBeNull()
})
