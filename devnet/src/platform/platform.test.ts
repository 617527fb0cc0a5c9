import { X509Certificate } from "node:crypto"
import { describe, expect, test } from "vitest"
import { highS, malleated, tampered } from "./keys.ts"
import { createPlatform } from "./platform.ts"

const platform = createPlatform({ seed: "simulator", now: 1_791_158_400 })

test("equal options give equal bytes, another seed other ones", () => {
  const again = createPlatform({ seed: "simulator", now: 1_791_158_400 })
  const knobs = { reportData: Uint8Array.of(1), version: 5 as const }
  expect(again.quote(knobs)).toEqual(platform.quote(knobs))
  expect(again.collateral()).toEqual(platform.collateral())
  const other = createPlatform({ seed: "other", now: 1_791_158_400 })
  expect(other.rootCertificate).not.toEqual(platform.rootCertificate)
})

test("the chain verifies with another implementation", () => {
  const parse = (der: Uint8Array) => new X509Certificate(der)
  const root = parse(platform.rootCertificate)
  const authority = parse(platform.platformCaCertificate)
  expect(root.verify(root.publicKey)).toBe(true)
  expect(authority.verify(root.publicKey)).toBe(true)
  expect(parse(platform.tcbSigningCertificate).verify(root.publicKey)).toBe(true)
  expect(parse(platform.machine("alice").pckCertificate).verify(authority.publicKey)).toBe(true)
})

test("machines of one platform have their own identity, the same name the same one", () => {
  const [alice, bob] = [platform.machine("alice"), platform.machine("bob")]
  expect(alice.ppid).not.toBe(bob.ppid)
  expect(alice.piid).not.toBe(bob.piid)
  expect(alice.attestationKey.publicKey).not.toEqual(bob.attestationKey.publicKey)
  expect(platform.machine("alice").pckCertificate).toEqual(alice.pckCertificate)
})

describe("sizes are Intel's", () => {
  test.each([
    ["PCK certificate", platform.machine("alice").pckCertificate.length, 1_262, 1_272],
    ["platform CA", platform.platformCaCertificate.length, 660, 668],
    ["quote version 4", platform.quote().length, 4_925, 4_945],
    ["quote version 5", platform.quote({ version: 5 }).length, 4_995, 5_015],
  ])("%s", (_, length, from, to) => {
    expect(length).toBeGreaterThanOrEqual(from)
    expect(length).toBeLessThanOrEqual(to)
  })
})

test("collateral has Intel's order of members", () => {
  const { tcb_info, qe_identity } = platform.collateral()
  expect(Object.keys(JSON.parse(tcb_info) as object)).toEqual([
    "id",
    "version",
    "issueDate",
    "nextUpdate",
    "fmspc",
    "pceId",
    "tcbType",
    "tcbEvaluationDataNumber",
    "tdxModule",
    "tdxModuleIdentities",
    "tcbLevels",
  ])
  expect(Object.keys(JSON.parse(qe_identity) as object).slice(0, 5)).toEqual([
    "id",
    "version",
    "issueDate",
    "nextUpdate",
    "tcbEvaluationDataNumber",
  ])
})

describe("knobs change what they name", () => {
  test("the Processor CA issues machines without an instance id", () => {
    const processor = createPlatform({ seed: "simulator", now: platform.now, authority: "processor" })
    const alice = processor.machine("alice")
    const [leaf, authority] = [alice.pckCertificate, processor.platformCaCertificate].map(
      (der) => new X509Certificate(der),
    )
    expect(authority?.subject).toContain("Processor CA")
    expect(authority && leaf?.verify(authority.publicKey)).toBe(true)
    expect(alice.piid).toBeNull()
    expect(alice.pckCertificate.length).toBeLessThan(platform.machine("alice").pckCertificate.length)
  })

  test("a field of a certificate is replaced, the signature stays good", () => {
    const changed = createPlatform({
      seed: "simulator",
      now: platform.now,
      certificates: { authority: { name: "Somebody", notAfter: platform.now } },
    })
    const authority = new X509Certificate(changed.platformCaCertificate)
    expect(authority.subject).toContain("CN=Somebody")
    expect(authority.validToDate.getTime()).toBe(platform.now * 1000)
    expect(authority.verify(new X509Certificate(platform.rootCertificate).publicKey)).toBe(true)
  })

  test("both forms of a signature verify, an edited one does not", () => {
    const verifies = (change: (signature: Uint8Array) => Uint8Array) => {
      const key = tampered(platform.root.key, change)
      const { platformCaCertificate } = createPlatform({
        seed: "simulator",
        now: platform.now,
        certificates: { authority: { issuer: { ...platform.root, key } } },
      })
      return new X509Certificate(platformCaCertificate).verify(
        new X509Certificate(platform.rootCertificate).publicKey,
      )
    }
    expect(verifies(malleated)).toBe(true)
    expect(verifies(highS)).toBe(true)
    expect(verifies((signature) => signature.map((byte, at) => (at === 9 ? byte ^ 1 : byte)))).toBe(false)
  })

  test("a version 5 quote announces the type and length of its body", () => {
    const announced = (body: "td10" | "td15") => [...platform.quote({ version: 5, body }).subarray(48, 54)]
    expect(announced("td10")).toEqual([2, 0, 0x48, 2, 0, 0])
    expect(announced("td15")).toEqual([3, 0, 0x88, 2, 0, 0])
  })

  test("edited text is signed as it is handed out", () => {
    const bundle = platform.collateral({ tcbInfoText: (text) => `${text} `, tcbInfoMembers: { version: 9 } })
    expect(bundle.tcb_info).toMatch(/"version":9.* $/)
    expect(bundle.tcb_info_signature).not.toBe(platform.collateral().tcb_info_signature)
  })
})
