/** The blind vote: ballots as ciphertexts, a tally that only the network can open, a callback that stores it. */
import { randomInt } from "node:crypto"
import { type Encrypted, encrypt, parseAddress } from "@twinlock/sdk"
import type { CertificatesRequest } from "@twinlock/sdk/protocol/http"
import { BASE_FEE_WEI, contractAt, sent } from "../network/contracts.ts"
import { waitFor } from "../network/waitFor.ts"
import { awaitCertificate, awaitFinal } from "./certified.ts"
import { deployExample } from "./deployExample.ts"
import type { Setting } from "./setting.ts"
import { awaitCommitment } from "./sums.ts"

const VOTERS = 5
const OPTIONS = 3

export type Ballot = {
  readonly voter: number
  /** Known to the voters' side only. */
  readonly choice: number
  readonly weight: number
  readonly encrypted: Encrypted
}

export type Vote = {
  readonly address: string
  readonly ballots: readonly Ballot[]
  readonly requestId: string
  readonly certified: CertificatesRequest
}

export async function openVote(setting: Setting): Promise<string> {
  const { coprocessor, decryptionGateway } = setting.network.contracts
  return deployExample(setting, "BlindVote", [coprocessor, decryptionGateway, VOTERS])
}

/** Each voter encrypts and proves on the own side, then casts. */
export async function castBallots(
  { network, client, report }: Setting,
  address: string,
): Promise<readonly Ballot[]> {
  const contract = parseAddress(address)
  const ballots = await report.step(
    "ballots.encrypt",
    `${VOTERS} voters encrypt and prove their ballots`,
    async (progress) => {
      let done = 0
      return Promise.all(
        Array.from({ length: VOTERS }, async (_, voter): Promise<Ballot> => {
          const choice = randomInt(OPTIONS)
          const weight = randomInt(1, 10_000)
          const user = parseAddress(network.accounts.voter(voter).address)
          const values = [
            { type: "uint8", value: choice },
            { type: "uint16", value: weight },
          ] as const
          const encrypted = await encrypt(client, { contract, user, values })
          progress(`${++done} of ${VOTERS}`)
          return { voter, choice, weight, encrypted }
        }),
      )
    },
  )
  await report.step("ballots.cast", "ballots land in the contract as handles", async () => {
    for (const { voter, encrypted } of ballots) {
      const asVoter = contractAt("BlindVote", address, network.accounts.voter(voter))
      const receipt = await sent(asVoter.getFunction("castVote").send(encrypted.input))
      if (voter === VOTERS - 1) report.gas("cast_vote", receipt.gasUsed)
    }
  })
  return ballots
}

export const clearTally = (ballots: readonly Ballot[]): readonly number[] =>
  Array.from(
    { length: OPTIONS },
    (_, option) =>
      ballots.filter(({ choice }) => choice === option).reduce((sum, { weight }) => sum + weight, 0) % 65_536,
  )

/** Every executor voted for the leaf that is final: the digests that they computed apart are equal. */
async function checkEqualVotes({ network, report }: Setting, handles: readonly string[]): Promise<void> {
  const commitments = contractAt(
    "CiphertextCommitments",
    network.contracts.ciphertextCommitments,
    network.accounts.organiser,
  )
  const all = (1n << BigInt(network.executors.length)) - 1n
  const voters = await Promise.all(
    handles.map(async (handle) => {
      const { leaf } = await commitments.getFunction("finalOf").staticCall(handle)
      return BigInt(await commitments.getFunction("votersOf").staticCall(handle, leaf))
    }),
  )
  report.check(
    "commitments.equal",
    voters.every((bitmap) => bitmap === all),
    `both executors committed the same digests for ${voters.filter((bitmap) => bitmap === all).length} of ${handles.length} tallies`,
  )
}

/** Closes the vote and follows the tally until the contract has it. */
export async function closeVote(
  setting: Setting,
  address: string,
  ballots: readonly Ballot[],
): Promise<Vote> {
  const { network, report } = setting
  const vote = contractAt("BlindVote", address, network.accounts.organiser)
  const receipt = await sent(vote.getFunction("close").send({ value: BASE_FEE_WEI }))
  report.gas("request", receipt.gasUsed)
  const requestId: string = await vote.getFunction("requestId").staticCall()
  const handles: readonly string[] = [...(await vote.getFunction("encryptedTally").staticCall())]
  await report.step(
    "tally.compute",
    "both executors finish the tally, squash it and commit bit-equal digests",
    () => awaitCommitment(setting, handles),
  )
  await checkEqualVotes(setting, handles)
  const certified = await report.step("tally.decrypt", "nodes approve, share, open and sign", async () => {
    const finalAt = await awaitFinal(network.chain.provider, receipt.blockNumber)
    const certificate = await awaitCertificate(network.coordinatorUrl, requestId, 120_000)
    report.timing("decrypt.certificate", performance.now() - finalAt)
    return certificate
  })
  await report.step("tally.accept", "the gateway accepts the certificate and calls the vote back", () =>
    waitFor(async () => (await vote.getFunction("published").staticCall()) === true, {
      what: "the published tally",
      timeoutMs: 60_000,
    }),
  )
  const tally: readonly bigint[] = [...(await vote.getFunction("tally").staticCall())]
  const expected = clearTally(ballots)
  report.check(
    "tally",
    tally.every((sum, option) => Number(sum) === expected[option]),
    `the contract stored ${tally.join(", ")}; the voters' side knows ${expected.join(", ")}`,
  )
  report.gas("fulfil", await gasOfFulfilment(setting, requestId))
  return { address, ballots, requestId, certified }
}

async function gasOfFulfilment({ network }: Setting, requestId: string): Promise<bigint> {
  const gateway = contractAt(
    "DecryptionGateway",
    network.contracts.decryptionGateway,
    network.accounts.organiser,
  )
  const filter = gateway.getEvent("DecryptionFulfilled")
  const [event] = await gateway.queryFilter(filter(requestId), Number(network.deployment.startBlock))
  const receipt =
    event === undefined ? null : await network.chain.provider.getTransactionReceipt(event.transactionHash)
  return receipt?.gasUsed ?? 0n
}
