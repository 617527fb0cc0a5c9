/** The nodes' answers to a user decryption, as a coordinator relays them (protocol §10). */
import { fromHex } from "../protocol/codec.ts"
import { MAX_PARTIES } from "../protocol/committee.ts"
import { isProtocolError } from "../protocol/errors.ts"
import {
  type Epoch,
  type Handle,
  type KeyId,
  type PartyIndex,
  parseEpoch,
  parseHandle,
  parseKeyId,
  parsePartyIndex,
} from "../protocol/ids.ts"
import { answerList, answerNumber, answerObject, answerText } from "./answer.ts"

export type NodeAnswer = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly party: PartyIndex
  readonly sealedShares: readonly {
    readonly handle: Handle
    readonly sealed: Uint8Array
    readonly signature: Uint8Array
  }[]
}

const MAX_ANSWERS = 64
const MAX_SHARES = 32

/**
 * Every answer that has the agreed form; one node's malformed answer does not spoil the others'. Nothing is verified yet, and
 * one party may occur several times.
 * @throws COORDINATOR_MALFORMED where the answer as a whole has another form.
 */
export function readNodeAnswers(body: unknown): readonly NodeAnswer[] {
  const responses = answerList(answerObject(body, "body"), "responses", MAX_ANSWERS)
  return responses.flatMap((response) => {
    try {
      return [readNodeAnswer(response)]
    } catch (error) {
      if (isProtocolError(error)) return []
      throw error
    }
  })
}

function readNodeAnswer(response: unknown): NodeAnswer {
  const answer = answerObject(response, "response")
  return {
    keyId: parseKeyId(answerText(answer, "keyId")),
    epoch: parseEpoch(answerNumber(answer, "epoch")),
    party: parsePartyIndex(answerNumber(answer, "party"), MAX_PARTIES),
    sealedShares: answerList(answer, "sealedShares", MAX_SHARES).map((item) => {
      const share = answerObject(item, "sealed share")
      return {
        handle: parseHandle(answerText(share, "handle")),
        sealed: fromHex(answerText(share, "sealed")),
        signature: fromHex(answerText(share, "signature")),
      }
    }),
  }
}
