/**
 * The public dstack SDK against the guest-agent simulator: what real clients expect, the simulator answers. The SDK
 * is a development dependency; the node has a client of its own. It needs major version 1 of the noble libraries,
 * which the root package therefore carries beside the version 2 of the workspaces.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text as readText } from "node:stream/consumers"
import { DstackClient, getComposeHash } from "@phala/dstack-sdk"
import { devnetCompose } from "@twinlock/devnet/agent/image"
import { createKeyService } from "@twinlock/devnet/agent/keyService"
import { type RunningAgent, startAgent } from "@twinlock/devnet/agent/server"
import { createPlatform } from "@twinlock/devnet/platform/platform"
import { createGuestAgent } from "@twinlock/node/attestation/guestAgent"
import { checkKeyChain } from "@twinlock/node/attestation/keyChain"
import { Secret } from "@twinlock/node/secret"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { parseQuote } from "@twinlock/sdk/attestation/quote"
import { rootIdOf } from "@twinlock/sdk/attestation/underRoot"
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { afterAll, beforeAll, expect, test } from "vitest"

const folder = mkdtempSync(join(tmpdir(), "dstack-"))
const socketPath = join(folder, "agent.sock")
const platform = createPlatform({ seed: "interop", now: 1_791_158_400 })
const keys = createKeyService("interop")
let agent: RunningAgent
let client: DstackClient

beforeAll(async () => {
  const compose = devnetCompose("keyholder")
  agent = await startAgent({ platform, machine: "alice", role: "keyholder", compose, keys, socketPath })
  client = new DstackClient(socketPath)
})
afterAll(async () => {
  await agent.stop()
  rmSync(folder, { recursive: true })
})

test("a quote that the SDK asks for verifies under the simulated root", async () => {
  const reportData = Buffer.alloc(64, 5)
  const answer = await client.getQuote(reportData)
  const rootKey = platform.root.key.publicKey
  const verified = createDevnetQuoteVerifier({
    chainId: 31337n,
    rootKey,
    contractRootId: rootIdOf(rootKey),
  }).verify(fromHex(`0x${answer.quote.replace(/^0x/, "")}`), {
    collateral: platform.collateral(),
    time: platform.now,
    floors: { tcb: 20, qe: 20 },
  })
  expect(verified.status).toBe("UpToDate")
  expect(verified.report.reportData).toBe(toHex(reportData))
})

test("the SDK's replay of the event log gives the quoted RTMR3", async () => {
  const answer = await client.getQuote(Buffer.alloc(32))
  const { report } = parseQuote(fromHex(`0x${answer.quote.replace(/^0x/, "")}`))
  expect(`0x${answer.replayRtmrs()[3]}`).toBe(report.rtMr3)
})

test("both clients get the same quote, log and facts from every route that the node uses", async () => {
  const own = createGuestAgent({ socketPath })
  const reportData = Buffer.alloc(64, 7)
  const [theirs, ours] = [await client.getQuote(reportData), await own.getQuote(reportData)]
  expect(toHex(ours.quote)).toBe(`0x${theirs.quote.replace(/^0x/, "")}`)
  expect(ours.eventLog).toBe(theirs.event_log)
  const [info, facts] = [await client.info(), await own.info()]
  const bare = (bytes: Uint8Array) => toHex(bytes).slice(2)
  expect({
    app_id: bare(facts.appId),
    instance_id: bare(facts.instanceId),
    compose_hash: bare(facts.composeHash),
    app_name: facts.appName,
    key_provider_info: facts.keyProvider,
  }).toEqual({
    app_id: info.app_id,
    instance_id: info.instance_id,
    compose_hash: info.compose_hash,
    app_name: info.app_name,
    key_provider_info: info.key_provider_info,
  })
  const [version, revision] = [await client.version(), await own.version()]
  expect(revision).toEqual({ version: version.version, revision: version.rev })
})

test("both clients are refused alike", async () => {
  const longer = Buffer.alloc(65)
  await expect(client.getQuote(longer)).rejects.toThrow()
  const response = await new Promise<{ status: number; text: string }>((resolve) => {
    const body = JSON.stringify({ report_data: longer.toString("hex") })
    const outgoing = request({ socketPath, path: "/GetQuote", method: "POST" }, async (incoming) => {
      resolve({ status: incoming.statusCode ?? 0, text: await readText(incoming) })
    })
    outgoing.end(body)
  })
  expect(response).toEqual({ status: 400, text: '{"error":"Report data is too long"}' })
})

test("both clients get the same key, and the SDK's chain names the provider", async () => {
  const path = "interop/secp256k1"
  const theirs = await client.getKey(path, "interop")
  const ours = await createGuestAgent({ socketPath }).getKey({
    path,
    purpose: "interop",
    algorithm: "secp256k1",
  })
  expect(ours.key.use(toHex)).toBe(toHex(theirs.key))
  const key = { key: new Secret(theirs.key), signatureChain: theirs.signature_chain }
  expect(() => checkKeyChain(key, "interop", { rootKey: keys.rootKey, appId: agent.cvm.appId })).not.toThrow()
})

test("facts: the SDK's compose hash is the measured one", async () => {
  const info = await client.info()
  expect(info.compose_hash).toBe(agent.cvm.entry.composeHash.slice(2))
  expect(getComposeHash(JSON.parse(info.tcb_info.app_compose) as Parameters<typeof getComposeHash>[0])).toBe(
    info.compose_hash,
  )
  expect(info.app_id).toBe(toHex(agent.cvm.appId).slice(2))
  expect(info.app_name).toBe("twinlock-node")
})

test("signatures, version, events and reachability", async () => {
  const signed = await client.sign("ed25519", Buffer.from("data"))
  const verify = (text: string) =>
    client.verify("ed25519", Buffer.from(text), signed.signature, signed.public_key)
  expect((await verify("data")).valid).toBe(true)
  expect((await verify("date")).valid).toBe(false)
  expect(signed.signature_chain).toHaveLength(3)
  expect((await client.version()).version).toBe("0.5.9")
  expect(await client.isReachable()).toBe(true)
  const before = (await client.info()).tcb_info.rtmr3
  await client.emitEvent("interop", "payload")
  expect((await client.info()).tcb_info.rtmr3).not.toBe(before)
})

test("refusals reach the SDK as errors", async () => {
  await expect(client.getQuote(Buffer.alloc(65))).rejects.toThrow()
})
