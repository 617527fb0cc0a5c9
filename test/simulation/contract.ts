/**
 * Where certificates arrive: coordinators that lose some, and the contract that judges the others in the next block. What
 * it accepts has to be true: requested, allowed, uncancelled, and the plaintext that was encrypted.
 */

import { concatBytes, toHex } from "@twinlock/sdk/protocol/codec"
import { signerOf } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import { SimulationFailure } from "./failure.ts"
import type { Platform } from "./node.ts"
import { brief } from "./trace.ts"
import { verifySubmission } from "./verifier.ts"
import { GATEWAY, guarded, type ServedKey, type World } from "./world.ts"

export type Gateway = {
  deliver(platform: Platform, certified: SubmissionBody): Promise<void>
  /** Requests that the contract fulfilled. */
  readonly fulfilled: ReadonlySet<RequestId>
}

const DELIVERY_MS = 30

/** @param key the served key, once there is one */
export function createGateway(world: World, key: () => ServedKey): Gateway {
  const fulfilled = new Set<RequestId>()
  const { timeline, chain } = world
  const random = world.random.fork("coordinators")

  /** A certificate that names somebody without standing is void, but nobody's fault. */
  function stand(parties: readonly PartyIndex[]): boolean {
    const { timestamp } = chain.block(chain.latest)
    return parties.every((party) => {
      const node = chain.nodes.get(signerOf(key().committee, party))?.at(chain.latest) ?? null
      return node !== null && !node.revoked && node.liveUntil > timestamp
    })
  }

  function judge(submission: SubmissionBody): void {
    const { results, parties } = verifySubmission(submission, key())
    const stands = stand(parties)
    for (const result of results) settle(result, stands)
  }

  function settle(result: DecryptionResult, stands: boolean): void {
    const request = chain.requests.get(result.requestId)?.at(chain.latest) ?? null
    const fail = (why: string) =>
      new SimulationFailure("certificate", `request ${brief(result.requestId)}: ${why}`)
    if (request === null || result.gateway !== GATEWAY) throw fail("nobody requested it")
    if (result.handles.join() !== request.handles.join()) throw fail("its handles were not requested")
    if (request.status === "cancelled") throw fail("it was cancelled")
    for (const handle of result.handles)
      if (chain.publiclyAllowed.get(handle)?.at(chain.latest) !== true)
        throw fail(`${brief(handle)} is not allowed`)
    const words = result.sessions.map((session, at) => {
      const ciphertext = world.ciphertexts.get(session)
      if (ciphertext === undefined || ciphertext.handle !== result.handles[at])
        throw fail("a session is not of its handle")
      return encodePlaintextWord(ciphertext.value)
    })
    if (toHex(concatBytes(...words)) !== toHex(result.plaintexts))
      throw new SimulationFailure(
        "plaintext",
        `${toHex(result.plaintexts)}, want ${toHex(concatBytes(...words))}`,
      )
    if (!stands || request.status !== "open" || chain.block(chain.latest).timestamp > request.deadline) {
      world.log(`chain: certificate of ${brief(result.requestId)} is refused`)
      return
    }
    chain.setRequest({ ...request, status: "fulfilled" })
    fulfilled.add(result.requestId)
    world.log(`chain: ${brief(result.requestId)} is fulfilled`)
  }

  return {
    fulfilled,
    deliver: ({ process, machine }, certified) =>
      new Promise((resolve, reject) =>
        timeline.after(random.exponential(DELIVERY_MS), process, () => {
          if (random.chance(world.coordinators.failures)) {
            reject(new ProtocolError({ code: "CERTIFICATE_NOT_TAKEN", message: "no coordinator answers" }))
            return
          }
          chain.submit(`certificate of party ${machine.party}`, () => guarded(world, () => judge(certified)))
          resolve()
        }),
      ),
  }
}
