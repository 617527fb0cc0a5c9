/** Checklist line 2, fourth part: Intel's SGX extension of the PCK certificate. */
import * as der from "@twinlock/devnet/platform/der"
import { type PckFields, sgxExtensions, sgxItem } from "@twinlock/devnet/platform/pckCertificate"
import { accepted, type Case, refused } from "./case.ts"
import { certificateWith, LEAF_FIELDS, MALFORMED, WRONG_FORM } from "./certificateScenes.ts"
import { ALICE, type Scene, simulated } from "./scene.ts"

/** The machine's own values. */
const PCK: PckFields = {
  ...LEAF_FIELDS,
  ppid: ALICE.ppid,
  piid: ALICE.piid,
  fmspc: ALICE.fmspc,
  pceId: "0x0000",
  cpuSvn: ALICE.cpuSvn,
  pceSvn: ALICE.pceSvn,
}
/** The same extension with `critical` before its octets, which are 1 and 2 bytes of header longer. */
const criticalSgx = (() => {
  const [whole = new Uint8Array(0)] = sgxExtensions(PCK)
  const content = whole.subarray(4)
  const identifier = content.subarray(0, 11)
  return der.sequence(identifier, der.boolean(true), content.subarray(11))
})()

const sgx = (items: (items: readonly Uint8Array[]) => readonly Uint8Array[] | null): Scene => ({
  machine: { pck: { items } },
})
const tcb = (tcbItems: (items: readonly Uint8Array[]) => readonly Uint8Array[]): Scene => ({
  machine: { pck: { tcbItems } },
})
const replaced = (index: number, item: Uint8Array) => (items: readonly Uint8Array[]) =>
  items.toSpliced(index, 1, item)
const svn = (arc: number, value: Uint8Array) => tcb(replaced(arc - 1, sgxItem(`2.${arc}`, value)))
const octets = (length: number) => der.octetString(new Uint8Array(length))

export const sgxCases: readonly Case[] = [
  simulated(
    "2 sgx",
    "component SVNs above 127",
    { machine: { cpuSvn: "0xff808102040100050000000000000080" } },
    accepted(),
  ),
  simulated("2 sgx", "a PCE SVN of two bytes", { machine: { pceSvn: 0xffff } }, accepted()),
  simulated("2 sgx", "no instance id under the Platform CA", { machine: { piid: null } }, accepted()),
  simulated(
    "2 sgx",
    "no SGX extension",
    sgx(() => null),
    refused("PCK_EXTENSION_MISSING", "MissingSgxExtension"),
  ),
  simulated(
    "2 sgx",
    "the SGX extension is critical",
    certificateWith({ extensions: [criticalSgx] }),
    MALFORMED,
  ),
  simulated(
    "2 sgx",
    "the SGX extension stands twice",
    certificateWith({ extensions: [...sgxExtensions(PCK), ...sgxExtensions(PCK)] }),
    WRONG_FORM,
  ),
  ...["PPID", "TCB", "PCE id", "FMSPC", "SGX type"].map((name, index) =>
    simulated(
      "2 sgx",
      `${name} is missing`,
      sgx((items) => items.toSpliced(index, 1)),
      MALFORMED,
    ),
  ),
  ...["PPID", "TCB", "PCE id", "FMSPC", "SGX type", "instance id"].map((name, index) =>
    simulated(
      "2 sgx",
      `${name} stands twice`,
      sgx((items) => items.toSpliced(index, 0, ...items.slice(index, index + 1))),
      MALFORMED,
    ),
  ),
  simulated(
    "2 sgx",
    "FMSPC before PCE id",
    sgx((items) => items.toSpliced(2, 2, ...items.slice(2, 4).reverse())),
    MALFORMED,
  ),
  simulated(
    "2 sgx",
    "an item 8",
    sgx((items) => [...items, sgxItem("8", octets(1))]),
    MALFORMED,
  ),
  simulated("2 sgx", "a PPID of 15 bytes", sgx(replaced(0, sgxItem("1", octets(15)))), MALFORMED),
  simulated("2 sgx", "an FMSPC of 7 bytes", sgx(replaced(3, sgxItem("4", octets(7)))), MALFORMED),
  simulated("2 sgx", "an instance id of 17 bytes", sgx(replaced(5, sgxItem("6", octets(17)))), MALFORMED),
  simulated(
    "2 sgx",
    "component 5 is missing",
    tcb((items) => items.toSpliced(4, 1)),
    MALFORMED,
  ),
  simulated(
    "2 sgx",
    "components 5 and 6 are swapped",
    tcb((items) => items.toSpliced(4, 2, ...items.slice(4, 6).reverse())),
    MALFORMED,
  ),
  simulated(
    "2 sgx",
    "component 16 stands twice",
    tcb((items) => items.toSpliced(15, 0, ...items.slice(15, 16))),
    MALFORMED,
  ),
  simulated(
    "2 sgx",
    "CPUSVN is missing",
    tcb((items) => items.slice(0, 17)),
    MALFORMED,
  ),
  simulated("2 sgx", "component 1 is 256", svn(1, der.integer(256)), MALFORMED),
  simulated("2 sgx", "component 1 is negative", svn(1, der.tlv(0x02, Uint8Array.of(0x80))), MALFORMED),
  simulated(
    "2 sgx",
    "component 1 has a needless zero byte",
    svn(1, der.tlv(0x02, Uint8Array.of(0, 4))),
    MALFORMED,
  ),
  simulated("2 sgx", "PCE SVN is 65,536", svn(17, der.integer(65_536)), MALFORMED),
]
