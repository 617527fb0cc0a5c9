/** Test parties with real seat keys, and a network whose links an adversary may hold. */
import { keccakBytes, taggedHash, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { type Committee, createCommittee } from "@twinlock/sdk/protocol/committee"
import { type Address, parseEpoch, parseKeyId, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { type ParameterSet, parameterSet } from "@twinlock/sdk/protocol/parameters"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import type { KeyProposal } from "../chain/chainView.ts"
import { createMemoryNetworks } from "../p2p/memoryNetwork.ts"
import type { Network } from "../p2p/network.ts"
import { type Attempt, proposalDigestOf, type SeatSigner } from "./attempt.ts"

export type TestParty = { readonly name: string; readonly address: Address; readonly sign: SeatSigner }

export function testParty(name: string): TestParty {
  const secretKey = keccakBytes(utf8ToBytes(name))
  return {
    name,
    address: addressOfSecretKey(secretKey),
    sign: async (digest) => signDigest(digest, secretKey),
  }
}

export const PARTIES: readonly TestParty[] = ["alice", "bob", "carol", "dave"].map(testParty)
export const EXECUTORS: readonly TestParty[] = ["erin", "frank"].map(testParty)

/** Of the toy engine: no program but its tests has it. */
export const TOY_PARAMETERS: ParameterSet = parameterSet("TOY", "none")

/** A proposal of a key among `parties`. */
export const proposalOf = (parties: readonly TestParty[], t: number): KeyProposal => ({
  n: parties.length,
  t,
  k: 2,
  parties: parties.map(({ address }) => address),
  executors: EXECUTORS.map(({ address }) => address),
  parametersHash: TOY_PARAMETERS.hash,
  host: {
    chainId: 31337n,
    coprocessor: EXECUTORS[0]?.address as Address,
    gateway: EXECUTORS[1]?.address as Address,
  },
  deadline: 2_000_000_000n,
})

export const PROPOSAL: KeyProposal = proposalOf(PARTIES, 1)

export const COMMITTEE: Committee = createCommittee({
  keyId: parseKeyId(taggedHash("test/key")),
  epoch: parseEpoch(1),
  t: PROPOSAL.t,
  parties: PROPOSAL.parties,
})

export const attemptOfParty = (index: number): Attempt => ({
  committee: COMMITTEE,
  self: parsePartyIndex(index, COMMITTEE.n),
  attempt: 1,
  proposalDigest: proposalDigestOf(COMMITTEE.keyId, PROPOSAL),
})

export const party = (index: number) => parsePartyIndex(index, COMMITTEE.n)

export const partyAt = (index: number): TestParty => {
  const found = PARTIES[index - 1]
  if (found === undefined) throw new Error(`no test party ${index}`)
  return found
}

/** What leaves a node in place of `payload`: nothing, one or several payloads. */
export type Tamper = (
  from: Address,
  to: Address,
  protocol: string,
  payload: Uint8Array,
) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>

/** Networks of parties and executors whose direct messages pass through `tamper`. */
export function tamperedNetworks(
  tamper: Tamper,
  parties: readonly TestParty[] = PARTIES,
): Map<Address, Network> {
  const everyone = [...parties, ...EXECUTORS].map(({ address }) => address)
  const networks = createMemoryNetworks(everyone)
  return new Map(
    [...networks].map(([address, network]) => [
      address,
      {
        ...network,
        send: async (to, protocol, payload, signal) => {
          const changed = await tamper(address, to, protocol, payload)
          for (const extra of changed.slice(0, -1))
            await network.send(to, protocol, extra, signal).catch(() => {})
          for (const last of changed.slice(-1)) await network.send(to, protocol, last, signal)
        },
      } satisfies Network,
    ]),
  )
}

export const honest: Tamper = (_from, _to, _protocol, payload) => [payload]
