import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import { parseDigest } from "@twinlock/sdk/protocol/ids"
import { describe, expect, test } from "vitest"
import {
  DAY,
  flipped,
  good,
  machine,
  NOW,
  options,
  pck,
  platform,
  quote,
  quoteWith,
  verifier,
} from "../../../test/support/simulatedQuote.ts"
import { toHex, utf8ToBytes } from "../protocol/codec.ts"
import { parseRootKey } from "./chain.ts"
import { type CollateralBundle, parseCollateralBundle } from "./collateralBundle.ts"
import { configIdOf } from "./composeHash.ts"
import { configIdOfDocument, encodeConfigDocument } from "./configDocument.ts"
import { parseEventLog, replayRuntimeEvents } from "./eventLog.ts"
import { type ExplainOptions, type Explanation, explainQuote, explainUnder } from "./explain.ts"
import { quoteVerifierUnder } from "./underRoot.ts"
import { INTEL_ROOT_KEY } from "./verifyQuote.ts"

const rootKey = parseRootKey(platform.root.key.publicKey)
const explain = (bytes: Uint8Array, changes: Partial<ExplainOptions> = {}): Explanation =>
  explainUnder(rootKey, bytes, { collateral: good, time: NOW, ...changes })

const failedOf = ({ checks }: Explanation) => checks.filter(({ status }) => status === "failed")
const idsOf = (explanation: Explanation) => failedOf(explanation).map(({ id }) => id)

/** What the verifier says: its status or its code. */
function verdictOf(verify: () => { readonly status: string }): string {
  try {
    return verify().status
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return error.detail.code
  }
}

/** The diagnosis' word in the same form; its first failed check must carry the code of its verdict. */
function wordOf(explanation: Explanation): string {
  const [first] = failedOf(explanation)
  expect(first?.code ?? null).toBe(explanation.failure?.code ?? null)
  return explanation.failure?.code ?? String(explanation.status)
}

const samples = "/work/shared/attestation-samples"
const folders = existsSync(samples)
  ? readdirSync(samples).filter((name) => existsSync(join(samples, name, "meta.json")))
  : []
type Mutation = {
  readonly name: string
  readonly quote: string
  readonly collateral: string
  readonly atUnix: number
}
const jsonOf = (...path: string[]) => JSON.parse(readFileSync(join(samples, ...path), "utf8"))
const sampleCases: readonly (readonly [string, Uint8Array, CollateralBundle, number])[] = [
  ...folders.map(
    (name) =>
      [
        name,
        new Uint8Array(readFileSync(join(samples, name, "quote.bin"))),
        parseCollateralBundle(jsonOf(name, "collateral.json")),
        jsonOf(name, "meta.json").validAtUnix as number,
      ] as const,
  ),
  ...(folders.length === 0 ? [] : (jsonOf("NEG-mutations", "index.json") as Mutation[])).map(
    (mutation) =>
      [
        mutation.name,
        new Uint8Array(readFileSync(join(samples, "NEG-mutations", mutation.quote))),
        parseCollateralBundle(jsonOf("NEG-mutations", mutation.collateral)),
        mutation.atUnix,
      ] as const,
  ),
]

describe("agreement with the verifier", () => {
  test.skipIf(sampleCases.length === 0)(
    `${sampleCases.length} samples under Intel's root`,
    { timeout: 60_000 },
    () => {
      const intel = quoteVerifierUnder(INTEL_ROOT_KEY)
      for (const [name, bytes, collateral, time] of sampleCases) {
        const floors = { tcb: 0, qe: 0 }
        const want = verdictOf(() => intel.verify(bytes, { collateral, time, floors }))
        expect([name, wordOf(explainQuote(bytes, { collateral, time }))]).toEqual([name, want])
      }
    },
  )

  const simulated: readonly (readonly [string, Uint8Array, Partial<CollateralBundle>, number])[] = [
    ["good", quote(), {}, NOW],
    ["version 5", quote({ version: 5 }), {}, NOW],
    ["debug", quote({ tdAttributes: "0x0100001000000000" }), {}, NOW],
    ["reserved attribute", quote({ tdAttributes: "0x0200001000000000" }), {}, NOW],
    ["no SEPT_VE_DISABLE", quote({ tdAttributes: "0x0000000000000000" }), {}, NOW],
    ["service TD", quote({ version: 5, mrServiceTd: `0x${"01".repeat(48)}` }), {}, NOW],
    ["foreign module", quote({ mrSignerSeam: `0x${"01".repeat(48)}` }), {}, NOW],
    ["module attributes", quote({ seamAttributes: "0x0100000000000000" }), {}, NOW],
    ["unknown module", quote({ teeTcbSvn: "0x0b090400000000000000000000000000" }), {}, NOW],
    ["old module", quote({ teeTcbSvn: "0x01010400000000000000000000000000" }), {}, NOW],
    ["old TDX SVN", quote({ teeTcbSvn: "0x0b010000000000000000000000000000" }), {}, NOW],
    ["QE signer", quote({ qe: { mrSigner: `0x${"11".repeat(32)}` } }), {}, NOW],
    ["QE product", quote({ qe: { isvProdId: 3 } }), {}, NOW],
    ["QE misc select", quote({ qe: { miscSelect: "0x01000000" } }), {}, NOW],
    ["QE attributes", quote({ qe: { attributes: "0x17000000000000000000000000000000" } }), {}, NOW],
    ["old QE", quote({ qe: { isvSvn: 1 } }), {}, NOW],
    ["QE binding", quote({ qe: { reportData: `0x${"22".repeat(64)}` } }), {}, NOW],
    ["header version", quote({ header: { version: 3 } }), {}, NOW],
    ["key type", quote({ header: { attestationKeyType: 3 } }), {}, NOW],
    ["tee type", quote({ header: { teeType: 0 } }), {}, NOW],
    ["vendor", quote({ header: { qeVendorId: `0x${"33".repeat(16)}` } }), {}, NOW],
    ["cut", quote().slice(0, 700), {}, NOW],
    ["very short", quote().slice(0, 3), {}, NOW],
    ["empty", new Uint8Array(), {}, NOW],
    ["too long", new Uint8Array(20_000), {}, NOW],
    ["padded", Uint8Array.of(...quote(), 0, 0), {}, NOW],
    ["trailing", Uint8Array.of(...quote(), 0, 1), {}, NOW],
    ["report changed", flipped(quote(), 300), {}, NOW],
    ["PCK expired", quoteWith([pck(undefined, { notAfter: NOW - 1 }), ...chainTail()]), {}, NOW],
    ["PCK by the root", quoteWith([pck(platform.root), ...chainTail()]), {}, NOW],
    ["two certificates", quoteWith(chainTail()), {}, NOW],
    ["collateral old", quote(), {}, NOW + 31 * DAY],
    ["collateral of the future", quote(), {}, NOW - DAY],
    ["collateral very old", quote(), {}, NOW + 400 * DAY],
    ["PCK revoked", quote(), platform.collateral({ revokedPck: [machine.pckSerial] }), NOW],
    ["CA revoked", quote(), platform.collateral({ revokedByRoot: [platform.serials.platformCa] }), NOW],
    ["signer revoked", quote(), platform.collateral({ revokedByRoot: [platform.serials.tcbSigning] }), NOW],
    ["CRL not hex", quote(), { root_ca_crl: "zz" }, NOW],
    ["CRL empty", quote(), { pck_crl: "" }, NOW],
    ["CRL swapped", quote(), { pck_crl: good.root_ca_crl }, NOW],
    ["no PEM", quote(), { tcb_info_issuer_chain: "hello" }, NOW],
    ["wrong signer chain", quote(), { tcb_info_issuer_chain: good.pck_crl_issuer_chain }, NOW],
    ["TCB info edited", quote(), { tcb_info: good.tcb_info.replace("UpToDate", "OutOfDate") }, NOW],
    ["TCB signature no hex", quote(), { tcb_info_signature: "x" }, NOW],
    ["QE identity edited", quote(), { qe_identity: `${good.qe_identity} ` }, NOW],
    ["other FMSPC", quote(), platform.collateral({ fmspc: "90C06F000000" }), NOW],
    ["other PCE", quote(), platform.collateral({ pceId: "0001" }), NOW],
    ["low numbers", quote(), platform.collateral({ evaluationNumber: 3 }), NOW],
    ["out of date", quote(), platform.collateral({ qeLevels: [{ isvSvn: 1, status: "OutOfDate" }] }), NOW],
    ["revoked level", quote(), platform.collateral({ qeLevels: [{ isvSvn: 1, status: "Revoked" }] }), NOW],
  ]
  test.each(simulated)("%s", (_name, bytes, collateral, time) => {
    const want = verdictOf(() => verifier.verify(bytes, options(collateral, time)))
    const given = { collateral: { ...good, ...collateral }, time, policy: { floors: { tcb: 20, qe: 20 } } }
    expect(wordOf(explain(bytes, given))).toBe(want)
  })

  test("a flipped bit anywhere gets the verifier's code", { timeout: 60_000 }, () => {
    const bytes = quote()
    for (let offset = 0; offset < bytes.length; offset += 149) {
      const changed = flipped(bytes, offset)
      const want = verdictOf(() => verifier.verify(changed, options()))
      expect([offset, wordOf(explain(changed))]).toEqual([offset, want])
    }
  })
})

function chainTail(): readonly Uint8Array[] {
  return [platform.platformCaCertificate, platform.rootCertificate]
}

describe("past the first failure", () => {
  const debug = explain(quote({ tdAttributes: "0x0100001000000000" }))

  test("a check that depends on nothing failed is made", () => {
    expect(debug.verdict).toBe("refused")
    expect(debug.failure).toMatchObject({ code: "TD_DEBUG" })
    expect(debug.checks.find(({ id }) => id === "qe.level")?.status).toBe("passed")
    expect(debug.checks.find(({ id }) => id === "td.sept-ve")).toMatchObject({
      status: "not-checked",
      reason: "needs TD attributes: no reserved bit",
    })
  })

  test("a failed check says what it wanted, what it found and why it failed", () => {
    expect(debug.checks.find(({ id }) => id === "td.debug")).toEqual({
      id: "td.debug",
      item: 9,
      title: "TD is not in debug mode",
      status: "failed",
      expected: "bit 0 clear",
      found: "0x0100001000000000",
      code: "TD_DEBUG",
      reason: "the trust domain runs in debug mode: 0x0100001000000000",
    })
  })

  test("collateral is judged even where the quote cannot be read", () => {
    const explanation = explain(quote().slice(0, 300))
    expect(idsOf(explanation)).toEqual(["quote.length"])
    expect(explanation.checks.filter(({ status }) => status === "passed").length).toBeGreaterThan(25)
    expect(explanation.collateral?.evaluationNumber).toBe(20)
    expect(explanation.quote).toBeNull()
  })

  test("the quote is judged even where collateral is missing, and refused", () => {
    const explanation = explain(quote(), { collateral: null })
    expect(explanation.verdict).toBe("refused")
    expect(explanation.checks.find(({ id }) => id === "signature.quote")?.status).toBe("passed")
    expect(explanation.checks.find(({ id }) => id === "chain.leaf-validity")?.status).toBe("passed")
  })

  test("one step's later lines wait for its failed one", () => {
    const { checks } = explain(quote({ header: { teeType: 0 } }))
    const statuses = checks.filter(({ id }) => id.startsWith("quote.")).map(({ status }) => status)
    expect(statuses.slice(0, 5)).toEqual(["passed", "passed", "passed", "failed", "not-checked"])
  })

  test("everything of a good quote passes, with every line of the checklist that needs no policy", () => {
    const { checks, verdict } = explain(quote())
    expect(verdict).toBe("up-to-date")
    expect(new Set(checks.map(({ status }) => status))).toEqual(new Set(["passed"]))
    expect([...new Set(checks.map(({ item }) => item))].sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length)
  })
})

describe("decoded fields", () => {
  test("attributes bit by bit, the kind of mr_config_id, platform and expiries", () => {
    const explanation = explain(
      quote({
        xfam: "0xe700060000000000",
        measurements: { mrConfigId: `0x01${"ab".repeat(32)}${"00".repeat(15)}` },
      }),
    )
    const set = explanation.quote?.tdAttributes.bits.flatMap(({ name, set }) => (set ? [name] : []))
    expect(set).toEqual(["SEPT_VE_DISABLE"])
    expect(explanation.quote?.xfam.bits.find(({ name }) => name === "AMX_TILEDATA")).toEqual({
      bit: 18,
      name: "AMX_TILEDATA",
      set: true,
    })
    expect(explanation.quote?.mrConfigId).toMatchObject({
      kind: "compose-hash (version 1)",
      hash: `0x${"ab".repeat(32)}`,
    })
    expect(explanation.platform?.ppid).toBe(machine.ppid)
    expect(explanation.collateral?.expiries).toMatchObject({ "TCB info": "2026-11-04T00:00:00Z" })
  })

  test.each([
    ["00".repeat(48), "none"],
    [`02${"11".repeat(47)}`, "compose and key provider (version 2)"],
    [`03${"11".repeat(32)}${"00".repeat(15)}`, "document (version 3)"],
    [`7f${"11".repeat(47)}`, "unknown"],
  ])("mr_config_id %s", (id, kind) => {
    expect(explain(quote({ measurements: { mrConfigId: `0x${id}` } })).quote?.mrConfigId.kind).toBe(kind)
  })
})

describe("policy", () => {
  const bytes = quote({ measurements: { mrConfigId: `0x01${"ab".repeat(32)}${"00".repeat(15)}` } })
  const { quote: decoded, platform: found } = explain(bytes)
  const zero = `0x${"00".repeat(32)}` as const

  test.each<[string, ExplainOptions["policy"], string | null]>([
    ["an accepted status", { statuses: ["UpToDate"] }, null],
    ["another status", { statuses: ["OutOfDate"] }, "POLICY_TCB_STATUS"],
    ["accepted attributes", { tdAttributes: ["0x0000001000000000"] }, null],
    ["other attributes", { tdAttributes: ["0x0000005000000000"] }, "POLICY_TD_ATTRIBUTES"],
    [
      "a missing feature",
      { xfam: { required: "0x0800000000000000", allowed: "0xffffffffffffffff" } },
      "POLICY_XFAM",
    ],
    [
      "a feature too many",
      { xfam: { required: "0x0300000000000000", allowed: "0x0300000000000000" } },
      "POLICY_XFAM",
    ],
    ["zero owner", { ownerZero: true }, null],
    ["the image", { images: [decoded?.imageId ?? parseDigest(zero)] }, null],
    ["another image", { images: [parseDigest(zero)] }, "POLICY_IMAGE"],
    ["the compose file", { composeHashes: [parseDigest(`0x${"ab".repeat(32)}`)] }, null],
    ["another compose file", { composeHashes: [parseDigest(zero)] }, "POLICY_COMPOSE"],
    ["an allowed machine", { ppids: { allowed: [found?.ppid ?? "0x"] } }, null],
    ["a machine that is not allowed", { ppids: { allowed: [] } }, "POLICY_PPID"],
    ["a denied machine", { ppids: { denied: [found?.ppid ?? "0x"] } }, "POLICY_PPID"],
    ["an allowed instance", { piids: { allowed: [found?.piid ?? "0x"] } }, null],
    ["an instance that is not allowed", { piids: { allowed: [] } }, "POLICY_PIID"],
    ["a denied instance", { piids: { denied: [found?.piid ?? "0x"] } }, "POLICY_PIID"],
    ["advisories, where there are none", { advisories: [] }, null],
    ["a key provider, without an event log", { providers: [] }, "POLICY_KEY_PROVIDER"],
    ["the report data", { reportData: `0x${"00".repeat(64)}` }, null],
    ["other report data", { reportData: `0x${"01".repeat(64)}` }, "POLICY_REPORT_DATA"],
    ["floors", { floors: { tcb: 21, qe: 0 } }, "TCB_INFO_BELOW_FLOOR"],
  ])("%s", (_name, policy, code) => {
    const explanation = explain(bytes, policy === undefined ? {} : { policy })
    expect(explanation.failure?.code ?? null).toBe(code)
    expect(explanation.verdict).toBe(code === null ? "up-to-date" : "refused")
  })

  test("no compose file is bound: a policy on it refuses", () => {
    const explanation = explain(quote(), { policy: { composeHashes: [parseDigest(zero)] } })
    expect(explanation.failure?.code).toBe("CONFIG_ID_MISSING")
  })

  const outdated = platform.collateral({
    qeLevels: [
      { isvSvn: 2, status: "UpToDate" },
      { isvSvn: 1, status: "OutOfDate", advisories: ["INTEL-SA-1"], tcbDate: NOW - 500 * DAY },
    ],
  })

  test.each<[string, ExplainOptions["policy"], string | null]>([
    ["without grace", { statuses: ["UpToDate"] }, "POLICY_TCB_STATUS"],
    ["within its grace", { statuses: ["UpToDate"], outOfDateGraceDays: 419 }, null],
    ["after its grace", { statuses: ["UpToDate"], outOfDateGraceDays: 417 }, "POLICY_TCB_GRACE"],
    ["with a known advisory", { advisories: ["INTEL-SA-1"] }, null],
    ["with an unknown advisory", { advisories: [] }, "POLICY_ADVISORY"],
  ])("a machine that is out of date, %s", (_name, policy, code) => {
    const explanation = explain(quote({ qe: { isvSvn: 1 } }), {
      collateral: outdated,
      ...(policy === undefined ? {} : { policy }),
    })
    expect(explanation.failure?.code ?? null).toBe(code)
    expect(explanation.verdict).toBe(code === null ? "genuine" : "refused")
  })

  test("nothing of the policy is judged on a quote that is not genuine", () => {
    const { checks } = explain(quote({ tdAttributes: "0x0100001000000000" }), { policy: { ownerZero: true } })
    expect(checks.at(-1)).toMatchObject({ id: "policy.owner", status: "not-checked" })
  })
})

describe("event log", () => {
  const keys = createKeyService("explain")
  const cvm = createCvm({
    platform,
    machine: "host0",
    role: "keyholder",
    compose: devnetCompose("keyholder", { keyProviderId: keys.rootKey }),
    keys,
  })
  const bytes = cvm.quote(new Uint8Array(64))

  test("one that replays tells the boot", () => {
    const explanation = explain(bytes, { eventLog: JSON.stringify(cvm.events()) })
    expect(explanation.verdict).toBe("up-to-date")
    expect(explanation.boot?.composeHash).toBe(cvm.entry.composeHash)
  })

  const log = JSON.stringify(cvm.events())
  const checkOf = ({ checks }: Explanation, id: string) => checks.find((check) => check.id === id)

  test("the second version of digests replays, too", () => {
    const rtMr3 = replayRuntimeEvents(parseEventLog(log), 2)
    const second = quote({ measurements: { rtMr3, mrConfigId: configIdOf(cvm.entry.composeHash) } })
    expect(explain(second, { eventLog: log }).verdict).toBe("up-to-date")
  })

  test("a boot of another compose file than the quote binds is refused", () => {
    const other = quote({
      measurements: {
        rtMr3: toHex(cvm.rtMr3()),
        mrConfigId: configIdOf(parseDigest(`0x${"ab".repeat(32)}`)),
      },
    })
    expect(explain(other, { eventLog: log })).toMatchObject({
      verdict: "refused",
      failure: { code: "CONFIG_ID_MISMATCH" },
    })
  })

  test("a boot of another instance than the document names is refused", () => {
    const { name: keyProvider, id } = JSON.parse(cvm.keyProvider)
    const named = {
      ...{ appId: toHex(cvm.appId), instanceId: toHex(cvm.instanceId), composeHash: cvm.entry.composeHash },
      ...{ keyProvider, keyProviderId: `0x${id}` as const },
    }
    const outcome = (changes: Partial<typeof named>) => {
      const configDocument = encodeConfigDocument({ ...named, ...changes })
      const measurements = { rtMr3: toHex(cvm.rtMr3()), mrConfigId: configIdOfDocument(configDocument) }
      return explain(quote({ measurements }), { eventLog: log, configDocument }).failure?.code ?? null
    }
    expect(outcome({})).toBeNull()
    expect(outcome({ instanceId: `0x${"00".repeat(20)}` })).toBe("CONFIG_ID_MISMATCH")
    expect(outcome({ appId: `0x${"00".repeat(20)}` })).toBe("CONFIG_ID_MISMATCH")
  })

  test("the key provider must be one of the policy", () => {
    const { providerId } = cvm.entry
    const given = (provider: typeof providerId) =>
      explain(bytes, { eventLog: log, policy: { providers: [provider] } }).failure?.code ?? null
    expect(given(providerId)).toBeNull()
    expect(given(parseDigest(`0x${"00".repeat(32)}`))).toBe("POLICY_KEY_PROVIDER")
  })

  test("where the quote binds no compose file, the log is held against none", () => {
    const loose = quote({ measurements: { rtMr3: toHex(cvm.rtMr3()) } })
    const explanation = explain(loose, { eventLog: log })
    expect(explanation.verdict).toBe("up-to-date")
    expect(checkOf(explanation, "event-log.bound")).toMatchObject({ status: "not-checked" })
  })

  test("a document that was given is the register's own", () => {
    const configDocument = encodeConfigDocument({
      ...{ appId: "0x01", composeHash: cvm.entry.composeHash, instanceId: "0x02" },
      ...{ keyProvider: "kms", keyProviderId: "0x03" },
    })
    expect(explain(bytes, { configDocument }).failure?.code).toBe("CONFIG_DOCUMENT_MISMATCH")
    expect(explain(bytes, { configDocument: new Uint8Array(0) }).failure?.code).toBe(
      "CONFIG_DOCUMENT_MALFORMED",
    )
    const measurements = { mrConfigId: configIdOfDocument(configDocument) }
    expect(explain(quote({ measurements }), { configDocument }).verdict).toBe("up-to-date")
  })

  test("a compose file must be the bound one, and keep the rules of the policy", () => {
    const compose = {
      ...{ allowedEnvs: [], keyProvider: { kind: "kms" as const, id: keys.rootKey } },
      ...{ gateway: false, publicLogs: false, publicSysinfo: false, publicTcbinfo: true },
      ...{ secureTime: true, instanceId: true, hostPaths: ["/var/run/dstack.sock"] },
    } as const
    const composeFile = utf8ToBytes(cvm.compose)
    const outcome = (changes: Partial<ExplainOptions>) => explain(bytes, changes).failure?.code ?? null
    expect(outcome({ composeFile, policy: { compose } })).toBeNull()
    expect(outcome({ composeFile })).toBeNull()
    expect(outcome({ composeFile: utf8ToBytes(`${cvm.compose} `) })).toBe("COMPOSE_HASH")
    expect(outcome({ policy: { compose } })).toBe("COMPOSE_HASH")
    const strict = { compose: { ...compose, publicTcbinfo: false } }
    expect(outcome({ composeFile, policy: strict })).toBe("COMPOSE_FLAG")
    expect(explain(quote(), { composeFile }).failure?.code).toBe("CONFIG_ID_MISSING")
  })

  test.each([
    ["[]", "EVENT_LOG_MISMATCH"],
    ["no JSON", "EVENT_LOG_MALFORMED"],
  ])("%s is refused", (eventLog, code) => {
    const explanation = explain(bytes, { eventLog })
    expect(explanation).toMatchObject({ verdict: "refused", failure: { code }, boot: null })
  })
})
