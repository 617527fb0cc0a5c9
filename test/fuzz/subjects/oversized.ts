/** Inputs that are large, deep or repetitive: refused with a code, within the steps that their size explains. */

import { joined, spliced } from "../byteMutation.ts"
import { lengthOf } from "../derTree.ts"
import type { Rng } from "../rng.ts"
import { measured } from "../steps.ts"
import { attempt, Violation } from "../violation.ts"
import { collateral, options, platform, SCENARIOS } from "../world.ts"
import { type Subject, verified, withCollateral } from "./subject.ts"

/** The bundle takes 256 KiB of text per member: half as many bytes of DER. */
const LARGEST = 128 * 1024
const sizes = [1_000, 20_000, 100_000, LARGEST - 2_000]

const tlv = (tag: number, content: Uint8Array): Uint8Array =>
  joined(Uint8Array.of(tag), lengthOf(content.length), content)

function nested(depth: number): Uint8Array {
  let bytes: Uint8Array = new Uint8Array()
  for (let i = 0; i < depth; i++) bytes = tlv(0x30, bytes)
  return bytes
}

const NESTED = [10, 100, 1_000, 8_000].map(nested)

/** A genuine document with one of its values swollen; all lengths above it lie unless it is the first. */
function swollen(rng: Rng, der: Uint8Array): Uint8Array {
  const at = 4 + rng.below(der.length - 4)
  const filler = new Uint8Array(rng.pick(sizes)).fill(rng.pick([0x00, 0x30, 0x31, 0x41, 0xff]))
  const inner = spliced(
    der.subarray(4),
    at - 4,
    at - 4,
    tlv(rng.pick([0x17, 0x18, 0x02, 0x06, 0x30, 0x0c]), filler),
  )
  const content = tlv(0x30, joined(inner.subarray(4)))
  return tlv(0x30, content)
}

/** version, algorithm, issuer, then a date of that many digits. */
function longDate(rng: Rng): Uint8Array {
  const crl = Buffer.from(collateral.pck_crl, "hex")
  const at = crl.indexOf(Buffer.from("170d", "hex"))
  const digits = tlv(rng.oneIn(2) ? 0x17 : 0x18, new Uint8Array(rng.pick(sizes)).fill(0x31))
  const content = joined(crl.subarray(8, at), digits, crl.subarray(at + 15, at + 60))
  const algorithm = crl.subarray(crl.length - 90)
  return tlv(0x30, joined(tlv(0x30, content), algorithm))
}

/** A list of as many entries as fit. */
function manyEntries(rng: Rng): Uint8Array {
  const entry = tlv(
    0x30,
    joined(
      tlv(0x02, Uint8Array.of(1 + rng.below(100))),
      Buffer.from("170d3236313030353030303030305a", "hex"),
    ),
  )
  const count = Math.floor(rng.pick(sizes) / entry.length)
  const list = tlv(0x30, joined(...Array.from({ length: count }, () => entry)))
  const crl = Buffer.from(collateral.pck_crl, "hex")
  const at = crl.indexOf(Buffer.from("170d", "hex")) + 30
  return tlv(0x30, joined(tlv(0x30, joined(crl.subarray(8, at), list)), crl.subarray(crl.length - 90)))
}

const repeated = (rng: Rng, unit: string): string => unit.repeat(Math.floor(rng.pick(sizes) / unit.length))

export const largeLists: Subject = {
  name: "large DER",
  weight: 0.1,
  run: (rng, target) => {
    const der = rng.pick([
      () => rng.pick(NESTED),
      () => swollen(rng, Buffer.from(collateral.pck_crl, "hex")),
      () => longDate(rng),
      () => manyEntries(rng),
      () => swollen(rng, platform.rootCertificate),
    ])()
    const asCrl = measured(der.length, () => attempt(() => target.parseCrl(der)))
    const asCertificate = measured(der.length, () => attempt(() => target.parseCertificate(der)))
    if (asCertificate.status === "accepted") throw new Violation("a swollen certificate was accepted")
    return asCrl
  },
}

export const largeTexts: Subject = {
  name: "large texts",
  weight: 0.1,
  run: (rng, target) => {
    const text = rng.pick([
      () => repeated(rng, "["),
      () => repeated(rng, '{"a":'),
      () => `{"id":"TDX","tcbLevels":[${repeated(rng, "{},")}{}]}`,
      () => `{"${repeated(rng, "a")}":1}`,
      () => `{"id":"TDX","version":${repeated(rng, "9")}}`,
      () => `[${repeated(rng, '{"imr":0},')}{"imr":0}]`,
      () => repeated(rng, "-----BEGIN CERTIFICATE-----\n"),
      () => `-----BEGIN CERTIFICATE-----\n${repeated(rng, "A\n")}`,
      () => `-----BEGIN CERTIFICATE-----\n${repeated(rng, "AAAA")}\n-----END CERTIFICATE-----\n`,
      () => `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----${repeated(rng, "\r\n")}`,
    ])()
    const outcomes = [
      attempt(() => target.parseTcbInfo(text)),
      attempt(() => target.parseQeIdentity(text)),
      attempt(() => target.replay(text)),
    ]
    if (outcomes.some(({ status }) => status === "accepted"))
      throw new Violation("a swollen document was accepted")
    return attempt(() => target.parsePemChain(text))
  },
}

export const largeInputs: Subject = {
  name: "large quotes and bundles",
  weight: 0.1,
  run: (rng, target) => {
    const { quote } = rng.pick(SCENARIOS)
    const size = rng.pick([16 * 1024, 16 * 1024 + 1, 100_000, 1_000_000])
    if (rng.oneIn(2)) {
      const padded = new Uint8Array(size)
      padded.set(quote)
      const outcome = verified(target, padded, { ...options, collateral })
      if ((outcome.status === "accepted") !== size <= 16 * 1024) throw new Violation(`${size} bytes of quote`)
      return outcome
    }
    const member = rng.pick(["pck_crl", "root_ca_crl", "tcb_info", "pck_crl_issuer_chain"] as const)
    const bundle = withCollateral({
      [member]: collateral[member] + rng.pick(["0", "00", " ", "\n"]).repeat(rng.pick(sizes)),
    })
    const outcome = verified(target, quote, { ...options, collateral: bundle })
    const free =
      member === "pck_crl_issuer_chain" && /^\s*$/.test(bundle[member].slice(collateral[member].length))
    if (outcome.status === "accepted" && !free) throw new Violation(`a swollen ${member} was accepted`)
    return outcome
  },
}
