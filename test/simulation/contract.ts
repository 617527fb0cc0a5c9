/**
 * Where certificates arrive: coordinators that lose some, and the contract that judges the others in the next block. What
 * it accepts has to be true: requested, allowed, uncancelled, and the plaintext that was encrypted.
 */

import { concatBytes, toHex } from "@twinlock/sdk/protocol/codec"
import { partiesOfBitmap, quorum, signerOf } from "@twinlock/sdk/protocol/committee"
import { hashDecryptionResult, hashResultBatch, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import { type CertificatesRequest, certificateFromBody, resultFromBody } from "@twinlock/sdk/protocol/http"
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import { verifyGroupSignature } from "@twinlock/sdk/threshold/frost"
import { leafHash, rootOfPath } from "@twinlock/sdk/threshold/merkle"
import { encodePlaintextWord } from "@twinlock/sdk/threshold/plaintext"
import { SimulationFailure } from "./failure.ts"
import type { Platform } from "./node.ts"
import { brief } from "./trace.ts"
import { GATEWAY, guarded, type ServedKey, SIGNING, type World } from "./world.ts"

export type Gateway = {
  deliver(platform: Platform, certified: CertificatesRequest): Promise<void>
  /** Requests that the contract fulfilled. */
  readonly fulfilled: ReadonlySet<RequestId>
}

const DELIVERY_MS = 30

/** @param key the served key, once there is one */
export function createGateway(world: World, key: () => ServedKey): Gateway {
  const fulfilled = new Set<RequestId>()
  const { timeline, chain } = world
  const random = world.random.fork("coordinators")

  /** As `DecryptionVerifier` does: a certificate that names somebody without standing is void, but nobody's fault. */
  function accepts(certified: CertificatesRequest): boolean {
    const { committee, group } = key()
    const result = resultFromBody(certified.result)
    const { signers, leaves, index, path, r, s, keyId, epoch } = certificateFromBody(certified.certificate)
    const root = rootOfPath({ leaf: leafHash(hashDecryptionResult(result)), index, leaves, path })
    const parties = partiesOfBitmap(signers, committee.n)
    if (root === null || keyId !== committee.keyId || parties.length < quorum(committee))
      throw new SimulationFailure(
        "certificate",
        `a certificate of ${parties.length} parties has a wrong form`,
      )
    const digest = typedDigest(SIGNING, hashResultBatch({ keyId, epoch, signers, root, leaves }))
    if (!verifyGroupSignature(group, digest, { r, s }))
      throw new SimulationFailure("certificate", "a delivered certificate does not verify")
    const { timestamp } = chain.block(chain.latest)
    return parties.every((party) => {
      const node = chain.nodes.get(signerOf(committee, party))?.at(chain.latest) ?? null
      return node !== null && !node.revoked && node.liveUntil > timestamp
    })
  }

  function judge(certified: CertificatesRequest): void {
    const stands = accepts(certified)
    const result = resultFromBody(certified.result)
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
