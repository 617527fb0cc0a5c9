/**
 * Looking a network over before trusting it with a secret (architecture, section 2): everything that the registries say about the
 * active key, read at one finalised block, as a list of findings; on request the nodes' raw quotes as well.
 */
import type { ChainBlock } from "../chain/endpoints.ts"
import {
  type EpochHeader,
  type KeyRecord,
  readActiveKey,
  readCommittee,
  readEpochHeader,
  readExecutors,
  readExpiry,
} from "../chain/read.ts"
import { readLiveUntil } from "../chain/readNodes.ts"
import type { TwinlockClient } from "../client.ts"
import { type Committee, partyIndexes, quorum, signerOf } from "../protocol/committee.ts"
import type { Address, Epoch, KeyId, PartyIndex } from "../protocol/ids.ts"
import { keyIdOf } from "../protocol/keyId.ts"
import { describeParameters, PARAMETER_SETS, parametersOf } from "../protocol/parameters.ts"
import { type QuoteSource, verifyQuotes } from "./verifyQuotes.ts"

export type NetworkCheckName =
  | "key-id"
  | "host-binding"
  | "parameters"
  | "digests"
  | "committee"
  | "seats-live"
  | "executors-live"
  | "quotes"

export type NetworkCheck = {
  readonly name: NetworkCheckName
  readonly ok: boolean
  /** What was found, for people. */
  readonly detail: string
}

export type Standing = {
  readonly signer: Address
  /** Null for an executor. */
  readonly party: PartyIndex | null
  /** Chain time in seconds, exclusive. */
  readonly liveUntil: bigint
  readonly live: boolean
}

export type NetworkReport = {
  /** True where every check holds. */
  readonly ok: boolean
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly block: ChainBlock
  readonly checks: readonly NetworkCheck[]
  readonly seats: readonly Standing[]
  readonly executors: readonly Standing[]
}

export type VerifyNetworkParams = {
  /** Verifies the newest quote of every seat and executor, too. */
  readonly quotes?: QuoteSource
}

/** @throws KEY_UNKNOWN, KEY_NOT_ACTIVE where there is nothing to look over; EPOCH_UNKNOWN, EndpointErrorCode */
export async function verifyNetwork(
  client: TwinlockClient,
  params: VerifyNetworkParams = {},
): Promise<NetworkReport> {
  const { chain } = client
  const block = await chain.endpoints.head()
  const key = await readActiveKey(chain, block)
  const { keyId, epoch } = key
  const committee = await readCommittee(chain, keyId, epoch, block)
  const header = await readEpochHeader(chain, keyId, epoch, block)
  const { members, k } = await readExecutors(chain, keyId, block)
  const standingOf = (signer: Address, party: PartyIndex | null, liveUntil: bigint): Standing => ({
    signer,
    party,
    liveUntil,
    live: liveUntil > block.timestamp,
  })
  const seats = await Promise.all(
    partyIndexes(committee).map(async (party) =>
      standingOf(signerOf(committee, party), party, await readExpiry(chain, keyId, epoch, party, block)),
    ),
  )
  const executors = await Promise.all(
    members.map(async (signer) => standingOf(signer, null, await readLiveUntil(chain, signer, block))),
  )
  const checks = [
    await checkKeyId(client, key),
    checkHost(client, key),
    checkParameters(key),
    checkDigests(key),
    checkCommittee(client, committee, header),
    checkSeats(seats),
    checkExecutors(executors, k),
    ...(params.quotes === undefined
      ? []
      : [await checkQuotes(client, [...seats, ...executors], params.quotes, block)]),
  ]
  return { ok: checks.every(({ ok }) => ok), keyId, epoch, block, checks, seats, executors }
}

async function checkKeyId({ chain }: TwinlockClient, key: KeyRecord): Promise<NetworkCheck> {
  const { chainId, keyRegistry } = chain.deployment
  const genesisHash = await chain.endpoints.blockHash(0n)
  const { ceremonyNonce, host } = key
  const expected = keyIdOf({ genesisHash, chainId, keyRegistry, ceremonyNonce, host })
  const detail = `ceremony ${ceremonyNonce} of this chain and registry gives ${expected}, the key is ${key.keyId}`
  return { name: "key-id", ok: expected === key.keyId, detail }
}

function checkHost({ chain }: TwinlockClient, { host }: KeyRecord): NetworkCheck {
  const { chainId, coprocessor, decryptionGateway } = chain.deployment
  const ok =
    host.chainId === chainId && host.coprocessor === coprocessor && host.gateway === decryptionGateway
  const detail = `the key serves coprocessor ${host.coprocessor} and gateway ${host.gateway} on chain ${host.chainId}`
  return { name: "host-binding", ok, detail }
}

function checkParameters({ parametersHash }: KeyRecord): NetworkCheck {
  const set = parametersOf(parametersHash)
  const detail =
    set === null
      ? `the key has parameter set ${parametersHash}; known are ${PARAMETER_SETS.map(describeParameters).join("; ")}`
      : describeParameters(set)
  return { name: "parameters", ok: set !== null, detail }
}

function checkDigests(key: KeyRecord): NetworkCheck {
  const digests = [key.publicKeyDigest, key.serverKeyDigest, key.crsDigest, key.transcriptDigest]
  const ok = digests.every((digest) => !/^0x0+$/.test(digest))
  return { name: "digests", ok, detail: `public key ${key.publicKeyDigest}, CRS ${key.crsDigest}` }
}

function checkCommittee({ chain }: TwinlockClient, committee: Committee, header: EpochHeader): NetworkCheck {
  const ok =
    header.n === committee.n &&
    header.quorum === quorum(committee) &&
    header.gateway === chain.deployment.decryptionGateway
  const detail = `registry: ${committee.n} parties, t ${committee.t}; verifier: ${header.n} parties, quorum ${header.quorum}, gateway ${header.gateway}`
  return { name: "committee", ok, detail }
}

function checkSeats(seats: readonly Standing[]): NetworkCheck {
  const lapsed = seats.filter(({ live }) => !live).map(({ party }) => party)
  const detail =
    lapsed.length === 0 ? `all ${seats.length} seats are live` : `not live: parties ${lapsed.join(", ")}`
  return { name: "seats-live", ok: lapsed.length === 0, detail }
}

/** protocol §8: k ≥ 2 and k > m/2, and k of them live. */
function checkExecutors(executors: readonly Standing[], k: number): NetworkCheck {
  const live = executors.filter((executor) => executor.live).length
  const ok = k >= 2 && 2 * k > executors.length && live >= k
  return {
    name: "executors-live",
    ok,
    detail: `${live} of ${executors.length} executors live, ${k} must agree`,
  }
}

async function checkQuotes(
  client: TwinlockClient,
  standings: readonly Standing[],
  source: QuoteSource,
  at: ChainBlock,
): Promise<NetworkCheck> {
  const signers = standings.map(({ signer }) => signer)
  const appraisals = await verifyQuotes(client, signers, source, at)
  const bad = appraisals.filter(({ ok }) => !ok)
  const detail = (bad.length === 0 ? appraisals : bad).map((a) => `${a.signer}: ${a.detail}`).join("; ")
  return { name: "quotes", ok: bad.length === 0, detail }
}
