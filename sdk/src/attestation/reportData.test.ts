import { AbiCoder, id, keccak256 } from "ethers"
import { describe, expect, test } from "vitest"
import { toHex } from "../protocol/codec.ts"
import { type Hex, parseAddress, parseDigest } from "../protocol/ids.ts"
import {
  type ChannelBinding,
  channelReportData,
  checkReportData,
  peerIdHashOf,
  type RegistrationBinding,
  registrationReportData,
} from "./reportData.ts"

const digest = (byte: string) => parseDigest(`0x${byte.repeat(32)}`)
const address = (byte: string) => parseAddress(`0x${byte.repeat(20)}`)

const registration: RegistrationBinding = {
  chainId: 31337n,
  nodeRegistry: address("a1"),
  operator: address("a2"),
  role: "executor",
  signer: address("a3"),
  peerIdHash: digest("b1"),
  configHash: digest("b2"),
  challengeBlock: 77n,
  challengeBlockHash: digest("b3"),
}

const channel: ChannelBinding = {
  ownPeerHash: digest("c1"),
  otherPeerHash: digest("c2"),
  otherNonce: digest("c3"),
  role: "keyholder",
  chainId: 31337n,
  nodeRegistry: address("a1"),
}

test("the registration binding is what a contract computes", () => {
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "uint256", "address", "address", "uint8", "address", "bytes32", "bytes32", "uint64"],
    [
      id("twinlock/registration/v1"),
      31337n,
      registration.nodeRegistry,
      registration.operator,
      2,
      registration.signer,
      registration.peerIdHash,
      registration.configHash,
      77n,
    ],
  )
  const want = keccak256(encoded) + registration.challengeBlockHash.slice(2)
  expect(toHex(registrationReportData(registration))).toBe(want)
})

test("the channel binding fills half of the report data", () => {
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "bytes32", "bytes32", "uint8", "uint256", "address"],
    [
      id("twinlock/channel/v1"),
      channel.ownPeerHash,
      channel.otherPeerHash,
      channel.otherNonce,
      1,
      31337n,
      channel.nodeRegistry,
    ],
  )
  expect(toHex(channelReportData(channel))).toBe(keccak256(encoded) + "00".repeat(32))
})

describe("every field is bound", () => {
  test.each<[string, Partial<RegistrationBinding>]>([
    ["chain", { chainId: 1n }],
    ["registry", { nodeRegistry: address("ff") }],
    ["operator", { operator: address("ff") }],
    ["role", { role: "keyholder" }],
    ["signer", { signer: address("ff") }],
    ["peer", { peerIdHash: digest("ff") }],
    ["configuration", { configHash: digest("ff") }],
    ["challenge block", { challengeBlock: 78n }],
    ["challenge hash", { challengeBlockHash: digest("ff") }],
  ])("registration: %s", (_, change) => {
    expect(registrationReportData({ ...registration, ...change })).not.toEqual(
      registrationReportData(registration),
    )
  })

  test.each<[string, Partial<ChannelBinding>]>([
    ["own peer", { ownPeerHash: digest("ff") }],
    ["other peer", { otherPeerHash: digest("ff") }],
    ["nonce", { otherNonce: digest("ff") }],
    ["role", { role: "executor" }],
    ["chain", { chainId: 1n }],
    ["registry", { nodeRegistry: address("ff") }],
    ["direction", { ownPeerHash: channel.otherPeerHash, otherPeerHash: channel.ownPeerHash }],
  ])("channel: %s", (_, change) => {
    expect(channelReportData({ ...channel, ...change })).not.toEqual(channelReportData(channel))
  })
})

test("quoted bytes must be exactly the wanted ones", () => {
  const wanted = channelReportData(channel)
  const quoted = toHex(wanted)
  expect(() => checkReportData(quoted, wanted)).not.toThrow()
  expect(() => checkReportData(quoted.replace(/.$/, "1") as Hex, wanted)).toThrow("POLICY_REPORT_DATA")
  expect(() => checkReportData(quoted, wanted.slice(0, 32))).toThrow("POLICY_REPORT_DATA")
  expect(() => checkReportData("0x", new Uint8Array(64))).toThrow("POLICY_REPORT_DATA")
})

test("a peer id is named by the hash of its multihash", () => {
  expect(peerIdHashOf(Uint8Array.of(1, 2))).toBe(keccak256("0x0102"))
})
