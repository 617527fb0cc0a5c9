/** One request over three ciphertexts among four parties, of which the test plays some. */
import type { DecryptionRequest } from "@twinlock/node/chain/chainView"
import { signAs } from "@twinlock/node/decryption/seat"
import type { Approved } from "@twinlock/sdk/protocol/eip712"
import { type PartyIndex, parsePartyIndex, type RequestId, type SessionId } from "@twinlock/sdk/protocol/ids"
import type { Approval, CommitmentPair, DecryptionShares } from "@twinlock/sdk/protocol/messages"
import { requestSubject } from "@twinlock/sdk/protocol/subjects"
import {
  type CommitteeOptions,
  countOf,
  createTestCommittee,
  type TestCommittee,
  type TestNode,
  type Traitor,
} from "../../support/decryptionNetwork.ts"
import {
  addCiphertext,
  addRequest,
  createScriptedChain,
  type ScriptedChain,
  type TestCiphertext,
} from "../../support/scriptedChain.ts"

export const SIZE = { n: 4, t: 1 } as const
export const party = (index: number): PartyIndex => parsePartyIndex(index, SIZE.n)

export type Scene = {
  readonly chain: ScriptedChain
  readonly ciphertexts: readonly TestCiphertext[]
  readonly sessions: readonly SessionId[]
  readonly requestId: RequestId
  readonly committee: TestCommittee
}

export function createScene(
  options: Partial<CommitteeOptions> = {},
  place: Partial<Pick<DecryptionRequest, "blockHash">> = {},
): Scene {
  const chain = createScriptedChain()
  const ciphertexts = [addCiphertext(chain, "yes", 1234n), addCiphertext(chain, "no", 65_535n)]
  const handles = ciphertexts.map(({ handle }) => handle)
  const requestId = addRequest(chain, "tally", handles, place)
  const committee = createTestCommittee({ ...SIZE, chain, ciphertexts, ...options })
  return { chain, ciphertexts, sessions: ciphertexts.map(({ session }) => session), requestId, committee }
}

/** A well-formed approval by a traitor, changed at will before it is signed. */
export const approvalBy = (
  { seat }: Traitor,
  { chain, requestId, sessions }: Scene,
  change: Partial<Approved> = {},
  commitments: readonly CommitmentPair[] = [],
): Approval =>
  signAs<Approval>(seat, {
    kind: "approval",
    approved: [{ subject: requestSubject(requestId), sessions, ...change }],
    blockNumber: chain.head.number,
    blockHash: chain.head.hash,
    verdict: 1,
    commitments,
  })

export const shareBy = (
  { seat }: Traitor,
  { requestId }: Scene,
  sessionId: SessionId,
  share: Uint8Array,
): DecryptionShares =>
  signAs<DecryptionShares>(seat, {
    kind: "decryption-shares",
    shares: [{ subject: requestSubject(requestId), sessionId, share }],
  })

/** The traitor's right shares. */
export async function honestShares(
  { holder }: Traitor,
  { ciphertexts }: Scene,
): Promise<readonly { readonly session: SessionId; readonly share: Uint8Array }[]> {
  const shares = await holder.decryptionShares(
    ciphertexts.map(({ session, words }) => ({ session, words, format: "raw" })),
  )
  return ciphertexts.map(({ session }, i) => ({ session, share: shares[i] ?? new Uint8Array() }))
}

/** What an honest party would say before signing: approval and right shares. */
export async function playHonestly(
  traitor: Traitor,
  scene: Scene,
  commitments: readonly CommitmentPair[] = [],
): Promise<void> {
  await traitor.gossip.publish(approvalBy(traitor, scene, {}, commitments))
  for (const { session, share } of await honestShares(traitor, scene))
    await traitor.gossip.publish(shareBy(traitor, scene, session, share))
}

/** How often a node proved a party at fault. */
export const faultsOf = (node: TestNode, index: number): Promise<number> =>
  countOf(node, "culprits_total", `{party="${index}"}`)
