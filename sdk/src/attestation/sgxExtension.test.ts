import * as der from "@twinlock/devnet/platform/der"
import { sgxItem } from "@twinlock/devnet/platform/pckCertificate"
import { expect, test } from "vitest"
import { parseSgxExtension } from "./sgxExtension.ts"

const octets = (length: number, value = 1) => der.octetString(new Uint8Array(length).fill(value))
const tcb = (svns: readonly number[], last: Uint8Array = sgxItem("2.18", octets(16))) =>
  sgxItem("2", der.sequence(...svns.map((svn, index) => sgxItem(`2.${index + 1}`, der.integer(svn))), last))
const seventeen = (value: number, last = value) => [...Array.from({ length: 16 }, () => value), last]

const ITEMS: Readonly<Record<string, Uint8Array>> = {
  ppid: sgxItem("1", octets(16, 0xa1)),
  tcb: tcb(seventeen(3, 11)),
  pceId: sgxItem("3", octets(2, 0)),
  fmspc: sgxItem("4", octets(6, 0xb0)),
  type: sgxItem("5", der.enumerated(1)),
  piid: sgxItem("6", octets(16, 0xc2)),
  configuration: sgxItem("7", der.sequence(sgxItem("7.1", der.boolean(true)))),
}
const PROCESSOR_CA = ["ppid", "tcb", "pceId", "fmspc", "type"]

const encoded = (changed: Readonly<Record<string, Uint8Array>> = {}, names = Object.keys(ITEMS)) =>
  der.sequence(...names.map((name) => changed[name] ?? ITEMS[name] ?? new Uint8Array(0)))

test("all items under the Platform CA", () => {
  expect(parseSgxExtension(encoded())).toEqual({
    ppid: `0x${"a1".repeat(16)}`,
    piid: `0x${"c2".repeat(16)}`,
    fmspc: `0x${"b0".repeat(6)}`,
    pceId: "0x0000",
    cpuSvn: Array.from({ length: 16 }, () => 3),
    pceSvn: 11,
  })
})

test("no instance id under the Processor CA", () => {
  expect(parseSgxExtension(encoded({}, PROCESSOR_CA)).piid).toBeNull()
})

test.each<[string, Uint8Array, string]>([
  ["a component SVN above 255", encoded({ tcb: tcb(seventeen(256, 1)) }), "SVN 256 of TCB item 1"],
  ["a PCE SVN above 65535", encoded({ tcb: tcb(seventeen(1, 65_536)) }), "SVN 65536 of TCB item 17"],
  [
    "no CPUSVN",
    encoded({ tcb: tcb(seventeen(1), sgxItem("2.19", der.integer(1))) }),
    "CPUSVN item is missing",
  ],
  [
    "a short CPUSVN",
    encoded({ tcb: tcb(seventeen(1), sgxItem("2.18", octets(15))) }),
    "CPUSVN must have 16 bytes",
  ],
  ["too few SVNs", encoded({ tcb: tcb([1, 1]) }), "want TCB item 3"],
  ["too many SVNs", encoded({ tcb: tcb([...seventeen(1), 1]) }), "want tag 0x4"],
  ["a short PPID", encoded({ ppid: sgxItem("1", octets(15)) }), "PPID must have 16 bytes"],
  ["a long PCEID", encoded({ pceId: sgxItem("3", octets(3)) }), "PCEID must have 2 bytes"],
  ["a short FMSPC", encoded({ fmspc: sgxItem("4", octets(5)) }), "FMSPC must have 6 bytes"],
  ["a short instance id", encoded({ piid: sgxItem("6", octets(15)) }), "instance id must have 16 bytes"],
  [
    "an item of another tree",
    encoded({ ppid: der.sequence(der.objectIdentifier("1.2.3"), octets(16)) }),
    "unexpected",
  ],
  ["a missing item", encoded({}, ["ppid", "tcb", "fmspc", "type"]), "want item 3"],
  ["an item twice", encoded({}, ["ppid", "tcb", "pceId", "pceId", "fmspc", "type"]), "want item 4"],
  ["items in another order", encoded({}, ["tcb", "ppid", "pceId", "fmspc", "type"]), "want item 1"],
  ["an instance id without configuration", encoded({}, [...PROCESSOR_CA, "piid"]), "cut off"],
  [
    "an eighth item",
    encoded({ eight: sgxItem("8", octets(1)) }, [...Object.keys(ITEMS), "eight"]),
    "left over",
  ],
  ["bytes after it", Uint8Array.of(...encoded(), 0), "left over"],
])("%s is refused", (_, bytes, message) => {
  expect(() => parseSgxExtension(bytes)).toThrow(message)
})

const MORE = der.integer(1)
const withMore = (arc: string, ...parts: readonly Uint8Array[]) =>
  der.sequence(der.objectIdentifier(`1.2.840.113741.1.13.1.${arc}`), ...parts, MORE)
const svn = (arc: number, more: boolean) =>
  more ? withMore(`2.${arc}`, der.integer(1)) : sgxItem(`2.${arc}`, der.integer(1))
const seventeenSvns = (broken: number | null) =>
  Array.from({ length: 17 }, (_, index) => svn(index + 1, index + 1 === broken))
const cpuSvn = sgxItem("2.18", octets(16))

test.each<[string, Readonly<Record<string, Uint8Array>>]>([
  ["PPID", { ppid: withMore("1", octets(16)) }],
  ["TCB", { tcb: withMore("2", der.sequence(...seventeenSvns(null), cpuSvn)) }],
  ["an SVN", { tcb: sgxItem("2", der.sequence(...seventeenSvns(3), cpuSvn)) }],
  ["CPUSVN", { tcb: sgxItem("2", der.sequence(...seventeenSvns(null), withMore("2.18", octets(16)))) }],
  ["the list of SVNs", { tcb: sgxItem("2", der.sequence(...seventeenSvns(null), cpuSvn, MORE)) }],
])("more in %s is refused", (_, changed) => {
  expect(() => parseSgxExtension(encoded(changed))).toThrow("left over")
})
