import { Interface, type InterfaceAbi } from "ethers"
import { describe, expect, test } from "vitest"
import { rejectionCodeOf } from "../../../test/support/codeOf.ts"
import { type FakeChain, fakeDeployment } from "../../../test/support/fakeChain.ts"
import { fakeClient } from "../../../test/support/fakeNetwork.ts"
import { good, NOW, quote, verifier } from "../../../test/support/simulatedQuote.ts"
import { composeHashOf, configIdOf } from "../attestation/composeHash.ts"
import { configIdOfDocument, encodeConfigDocument } from "../attestation/configDocument.ts"
import { evidenceOf } from "../attestation/evidence.ts"
import { imageIdOf } from "../attestation/policy.ts"
import { registrationReportData } from "../attestation/reportData.ts"
import { nodeRegistryAbi } from "../chain/abi.ts"
import { tagHash, utf8ToBytes } from "../protocol/codec.ts"
import { type Hex, parseAddress } from "../protocol/ids.ts"
import { verifyQuotes } from "./verifyQuotes.ts"

const codec = new Interface(nodeRegistryAbi as unknown as InterfaceAbi)
const signer = parseAddress(`0x${"a".repeat(40)}`)
const operator = parseAddress(`0x${"b".repeat(40)}`)
const register = (byte: string): Hex => `0x${byte.repeat(48)}`
const image = { mrTd: register("11"), rtMr0: register("12"), rtMr1: register("13"), rtMr2: register("14") }
const composeHash = composeHashOf(utf8ToBytes("{}"))
const zero = `0x${"00".repeat(32)}`
const binding = {
  chainId: 31337n,
  nodeRegistry: fakeDeployment.nodeRegistry,
  operator,
  role: "keyholder",
  signer,
  peerIdHash: tagHash("peer"),
  configHash: tagHash("config"),
  challengeBlock: 40n,
  challengeBlockHash: tagHash("main 40"),
} as const
const source = { verifier, collateral: async () => good }

/** A registry that holds this registration, made with a quote over `reportData`. */
function chainWith(
  reportData = registrationReportData(binding),
  change: {
    readonly compose?: string
    readonly call?: "renew" | "exit"
    readonly floor?: number
    readonly configDocument?: Uint8Array
  } = {},
): Partial<FakeChain> {
  const { configDocument } = change
  const mrConfigId = configDocument ? configIdOfDocument(configDocument) : configIdOf(composeHash)
  const evidence = evidenceOf(quote({ reportData, measurements: { ...image, mrConfigId } }), configDocument)
  const fields = [evidence.quote, evidence.auth, evidence.pckLeaf, evidence.caId, evidence.configDocument]
  const call = change.call ?? "renew"
  const input = codec.encodeFunctionData(call, call === "renew" ? [signer, 40, fields] : [signer])
  const { peerIdHash, configHash } = binding
  const [ppid, piid] = [`0x${"01".repeat(16)}`, `0x${"02".repeat(16)}`]
  const node = [operator, 1, false, false, NOW + 9, NOW, 40, ppid, piid, peerIdHash, configHash, 3]
  const floor = change.floor ?? 20
  return {
    timestamp: NOW,
    answers: {
      "nodeRegistry.nodeOf": () => [node],
      "nodeRegistry.floors": () => [floor, floor],
      "nodeRegistry.entryOf": () => [[1, imageIdOf(image), change.compose ?? composeHash, zero, 1], 2],
    },
    events: [
      {
        contract: "nodeRegistry",
        name: "NodeAttested",
        values: [signer, 3, 40, NOW + 9, 20, 20],
      },
    ],
    inputs: [input],
  }
}

async function appraise(chain: Partial<FakeChain>) {
  const client = fakeClient(chain, {}, { clock: () => BigInt(NOW) })
  const at = await client.chain.endpoints.head()
  const [appraisal] = await verifyQuotes(client, [signer], source, at)
  return appraisal
}

describe("verifyQuotes", () => {
  test("accepts the quote of the newest registration, from its own transaction", async () => {
    const appraisal = await appraise(chainWith())
    expect(appraisal).toMatchObject({ signer, ok: true })
    expect(appraisal?.detail).toContain(`UpToDate, image ${imageIdOf(image)}, compose file ${composeHash}`)
  })

  test("accepts a compose file that a configuration document of the evidence names", async () => {
    const configDocument = encodeConfigDocument({
      appId: "0x",
      composeHash,
      instanceId: "0x",
      keyProvider: "kms",
      keyProviderId: "0x",
    })
    expect(await appraise(chainWith(undefined, { configDocument }))).toMatchObject({ signer, ok: true })
  })

  test.each([
    ["another challenge", registrationReportData({ ...binding, challengeBlockHash: tagHash("fork 40") })],
    ["another signer", registrationReportData({ ...binding, signer: operator })],
    ["another registry", registrationReportData({ ...binding, nodeRegistry: operator })],
    ["another role", registrationReportData({ ...binding, role: "executor" })],
  ])("a quote made for %s is a finding", async (_, reportData) => {
    const appraisal = await appraise(chainWith(reportData))
    expect(appraisal?.ok).toBe(false)
    expect(appraisal?.detail).toContain("POLICY_REPORT_DATA")
  })

  test("a measurement that the registry's entry does not name is a finding", async () => {
    const appraisal = await appraise(chainWith(undefined, { compose: tagHash("other compose file") }))
    expect(appraisal?.detail).toContain("POLICY_COMPOSE")
  })

  test("collateral below the registry's floor is a finding", async () => {
    expect((await appraise(chainWith(undefined, { floor: 21 })))?.ok).toBe(false)
  })

  test("no registration transaction, or one through another contract, is a finding", async () => {
    const none = { signer, ok: false, detail: "no evidence on chain" }
    expect(await appraise({ ...chainWith(), events: [] })).toEqual(none)
    expect(await appraise(chainWith(undefined, { call: "exit" }))).toEqual(none)
    expect(await appraise({ ...chainWith(), inputs: ["0x12345678"] })).toEqual(none)
  })

  test("a transaction that the endpoints do not have is their fault", async () => {
    expect(await rejectionCodeOf(() => appraise({ ...chainWith(), inputs: [] }))).toBe(
      "ENDPOINTS_UNAVAILABLE",
    )
  })
})
