import { createCvm } from "@twinlock/devnet/agent/cvm"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { parseQuoteParts } from "@twinlock/sdk/attestation/quote"
import { registrationReportData } from "@twinlock/sdk/attestation/reportData"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { parseAddress, parseDigest } from "@twinlock/sdk/protocol/ids"
import { expect, test } from "vitest"
import { prepareRegistration } from "./registration.ts"

const platform = createPlatform({ seed: "registration", now: 1_791_158_400 })
const cvm = createCvm({
  platform,
  machine: "alice",
  role: "executor",
  compose: devnetCompose("executor"),
  keys: createKeyService("registration"),
})
const digest = (byte: string) => parseDigest(`0x${byte.repeat(32)}`)
const address = (byte: string) => parseAddress(`0x${byte.repeat(20)}`)

test("the evidence binds the registration and the challenge block", async () => {
  const identity = {
    operator: address("02"),
    signer: address("03"),
    peerIdHash: digest("04"),
    configHash: digest("05"),
  }
  const binding = { ...identity, chainId: 31337n, nodeRegistry: address("01"), role: "executor" as const }
  const { registration, evidence } = await prepareRegistration(
    { ...binding, challenge: { number: 99n, hash: digest("06"), timestamp: 1n } },
    {
      quote: async (reportData) => ({
        quote: cvm.quote(reportData),
        eventLog: "[]",
        configDocument: new Uint8Array(),
      }),
      info: () => Promise.reject(new Error("unused")),
    },
  )
  expect(registration).toEqual({ ...identity, role: 2, challengeBlock: 99n })
  const quote = parseQuoteParts(evidence.quote, evidence.auth, [])
  const want = registrationReportData({ ...binding, challengeBlock: 99n, challengeBlockHash: digest("06") })
  expect(quote.report.reportData).toBe(toHex(want))
  expect(toHex(evidence.pckLeaf)).toBe(toHex(cvm.machine.pckCertificate))
})
