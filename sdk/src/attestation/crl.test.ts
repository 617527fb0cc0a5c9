import * as der from "@twinlock/devnet/platform/der"
import { distinguishedName, extension } from "@twinlock/devnet/platform/pki"
import { expect, test } from "vitest"
import { parseCrl } from "./crl.ts"

const ecdsa = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"))
const number = extension("2.5.29.20", false, der.integer(1))
const critical = extension("1.2.3.4", true, der.sequence())
const tolerated = extension("1.2.3.4", false, der.sequence())

type Parts = {
  /** Standing after the part of that name. */
  readonly after?: Partial<Record<"entry" | "extensions" | "fields" | "signature", Uint8Array>>
  readonly version?: number
  readonly entry?: readonly Uint8Array[]
  readonly list?: readonly Uint8Array[]
}

/** A list with one entry, put together by hand. */
function assembled({ version = 1, entry = [], list = [number], after = {} }: Parts = {}): Uint8Array {
  const extensions = entry.length > 0 ? [der.sequence(...entry)] : []
  const toBeSigned = der.sequence(
    der.integer(version),
    ecdsa,
    distinguishedName("Issuer"),
    der.time(1_000_000_005),
    der.time(1_000_000_009),
    der.sequence(
      der.sequence(der.integer(77), der.time(1_000_000_005), ...extensions, after.entry ?? NOTHING),
    ),
    der.context(0, der.sequence(...list), after.extensions ?? NOTHING),
    after.fields ?? NOTHING,
  )
  const signature = der.bitString(der.sequence(der.integer(1), der.integer(2)))
  return der.sequence(toBeSigned, ecdsa, signature, after.signature ?? NOTHING)
}
const NOTHING = new Uint8Array(0)
const MORE = der.integer(1)

test("serials and dates are read, harmless extensions skipped", () => {
  const crl = parseCrl(assembled({ entry: [tolerated], list: [number, tolerated] }))
  expect(crl).toMatchObject({ thisUpdate: 1_000_000_005, nextUpdate: 1_000_000_009 })
  expect([...crl.revoked]).toEqual(["0x4d"])
})

test.each<[string, Uint8Array, string]>([
  ["version 1", assembled({ version: 0 }), "must have version 2"],
  ["an unknown critical extension", assembled({ list: [number, critical] }), "is critical"],
  ["an unknown critical extension of an entry", assembled({ entry: [critical] }), "is critical"],
  [
    "Intel's number as a critical extension",
    assembled({ list: [extension("2.5.29.20", true, der.integer(1))] }),
    "is critical",
  ],
  ["bytes after it", new Uint8Array([...assembled(), 0]), "1 bytes are left over"],
  ["nothing", new Uint8Array(0), "cut off"],
])("a list with %s is refused", (_, bytes, message) => {
  expect(() => parseCrl(bytes)).toThrow(message)
  expect(() => parseCrl(bytes)).toThrow("CRL_MALFORMED")
})

test.each<[string, Uint8Array]>([
  ["an entry with more after its extensions", assembled({ entry: [tolerated], after: { entry: MORE } })],
  ["more after the extensions", assembled({ after: { extensions: MORE } })],
  ["more after the fields", assembled({ after: { fields: MORE } })],
  ["more after the signature", assembled({ after: { signature: MORE } })],
  [
    "an extension of three parts",
    assembled({ list: [der.sequence(der.objectIdentifier("1.2.3.4"), der.octetString(MORE), MORE)] }),
  ],
])("a list with %s is refused", (_, bytes) => {
  expect(() => parseCrl(bytes)).toThrow("left over")
})
