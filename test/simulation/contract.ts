/**
 * Where certificates arrive: coordinators that lose some, and the contract that judges the others in the next block. What
 * it accepts has to be true: requested, allowed, not to be cancelled any more, and the plaintext that was encrypted.
 */
import { type AcceptancePolicy, type AcceptanceRule, needsEvidence } from "@twinlock/sdk/protocol/certificate"
import { concatBytes, toHex } from "@twinlock/sdk/protocol/codec"
import { signerOf } from "@twinlock/sdk/protocol/committee"
import type { DecryptionResult } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { SubmissionBody } from "@twinlock/sdk/protocol/http"
import type { PartyIndex, RequestId } from "@twinlock/sdk/protocol/ids"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import { NotTaken, SimulationFailure } from "./failure.ts"
import type { Platform } from "./node.ts"
import { brief } from "./trace.ts"
import { type Verified, verifySubmission } from "./verifier.ts"
import { GATEWAY, guarded, type ServedKey, type World } from "./world.ts"

/** Requests that the contract fulfilled, by the rule that it took. */
export type Fulfilled = ReadonlyMap<RequestId, AcceptanceRule>

export type Gateway = {
  deliver(platform: Platform, certified: SubmissionBody): Promise<void>
  readonly fulfilled: Fulfilled
}

const DELIVERY_MS = 30

/** @param key the served key, once there is one */
export function createGateway(world: World, key: () => ServedKey): Gateway {
  const fulfilled = new Map<RequestId, AcceptanceRule>()
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

  /** What a liar brings may be worth nothing. What the contract would take has to be true, whoever brings it. */
  function judge(submission: SubmissionBody, from: PartyIndex): void {
    try {
      const verified = verifySubmission(submission, key(), world.enclaves)
      const stands = stand(verified.parties)
      for (const result of verified.results) settle(result, verified, stands)
    } catch (error) {
      if (!(error instanceof NotTaken) || world.plan.faulty.get(from) !== "liar") throw error
      world.log(`chain: what party ${from} brings is refused: ${error.message}`)
    }
  }

  function settle(result: DecryptionResult, { kind, ...support }: Verified, stands: boolean): void {
    const { timestamp } = chain.block(chain.latest)
    const request = chain.requests.get(result.requestId)?.at(chain.latest) ?? null
    const fail = (why: string) =>
      new SimulationFailure("certificate", `request ${brief(result.requestId)}: ${why}`)
    const refuse = (why: string): void =>
      world.log(`chain: certificate of ${brief(result.requestId)} is refused: ${why}`)
    if (request === null || result.gateway !== GATEWAY) throw fail("nobody requested it")
    if (result.handles.join() !== request.handles.join()) throw fail("its handles were not requested")
    if (request.status === "cancelled") throw fail("it was cancelled")
    if (timestamp < request.uncancellableFrom) throw fail("it can still be cancelled")
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
    if (!meets(request.policy, kind, support)) {
      // Of a batch whatever can be settled is; on its own, no honest node brings what its requester does not take.
      if (kind !== "batch") throw new NotTaken(`request ${brief(result.requestId)}: its policy is not met`)
      return refuse("its policy is not met")
    }
    if (!stands) return refuse("a party has no standing")
    if (request.status !== "open") return refuse(`it is ${request.status}`)
    chain.setRequest({ ...request, status: "fulfilled" })
    if (timestamp > request.deadline) return world.log(`chain: ${brief(result.requestId)} is fulfilled late`)
    fulfilled.set(result.requestId, kind === "batch" ? "group" : kind)
    world.log(`chain: ${brief(result.requestId)} is fulfilled by rule ${kind}`)
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
          chain.submit(`certificate of party ${machine.party}`, () =>
            guarded(world, () => judge(certified, machine.party)),
          )
          resolve()
        }),
      ),
  }
}

/** Whether the gateway takes a result by this rule. */
function meets(
  policy: AcceptancePolicy,
  kind: SubmissionBody["kind"],
  { endorsements, quotes }: Pick<Verified, "endorsements" | "quotes">,
): boolean {
  if (kind === "policy") return endorsements >= policy.endorsements && quotes >= policy.freshQuotes
  return !needsEvidence(policy) && !(kind === "endorsed" && policy.groupOnly)
}
