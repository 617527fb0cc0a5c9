/** Handles and requests of a run as its plan says, and what of them must be decrypted in the end. */

import type { DecryptionRequest } from "@twinlock/node/chain/chainView"
import { taggedHash } from "@twinlock/sdk/protocol/codec"
import type { Committee } from "@twinlock/sdk/protocol/committee"
import { parseRequestId } from "@twinlock/sdk/protocol/ids"
import { CURRENT_PARAMETERS } from "@twinlock/sdk/protocol/parameters"
import { type Ciphertext, createCiphertext, otherWords } from "./ciphertexts.ts"
import type { Gateway } from "./contract.ts"
import type { Node } from "./node.ts"
import type { RequestPlan } from "./plan.ts"
import { brief } from "./trace.ts"
import { createUser, type User } from "./users.ts"
import { DOMAIN, EPOCH, GATEWAY, type World } from "./world.ts"

export type Traffic = {
  /** What has to be decrypted and is not yet, by name. */
  missing(): readonly string[]
  /** Requests that were not settled at a block that every node must have seen by now, whatever can become of them. */
  open(): number
  /** Users that got what they asked for. */
  served(): number
}

const OTHER_WORDS = 12
/** Blocks in which a node looks at least once. */
const SEEN_AFTER = 3

/** Starts now. */
export function startTraffic(
  world: World,
  nodes: readonly Node[],
  { keyId }: Pick<Committee, "keyId">,
  gateway: Gateway,
): Traffic {
  const { plan, chain, timeline } = world
  const random = world.random.fork("traffic")
  const key = { keyId, epoch: EPOCH, domain: DOMAIN, parametersHash: CURRENT_PARAMETERS.hash }

  const publish = (ciphertext: Ciphertext): Ciphertext => {
    world.ciphertexts.set(ciphertext.session, ciphertext)
    world.blobs.set(ciphertext.squashedDigest, ciphertext.words)
    return ciphertext
  }
  const ciphertexts = plan.handles.map(({ allowed, finalAfter, replaced }, at) => {
    const ciphertext = publish(createCiphertext(key, at, random))
    const anchor = (status: "pending" | "final", which = ciphertext) =>
      chain.submit(`${brief(which.handle)} is ${status}`, () => chain.anchor(which, status))
    chain.submit("access", () => chain.allow(ciphertext.handle, allowed))
    anchor("pending")
    if (finalAfter !== null) timeline.after(finalAfter, null, () => anchor("final"))
    if (replaced && finalAfter !== null) {
      const other = publish(otherWords(key, ciphertext, at + OTHER_WORDS, random))
      timeline.after(finalAfter + plan.healAt / 2, null, () => anchor("final", other))
    }
    return ciphertext
  })
  const pick = (numbers: readonly number[]): readonly Ciphertext[] =>
    numbers.flatMap((number) => ciphertexts[number] ?? [])

  /** Nothing but time stands between the handle and its plaintext. */
  const canOpen = (numbers: readonly number[]): boolean =>
    numbers.every((number) => {
      const handle = plan.handles[number]
      return handle !== undefined && handle.finalAfter !== null && !handle.replaced
    })

  const wanted = plan.requests.map((request, at) => ({
    request,
    requestId: parseRequestId(taggedHash("simulated request", plan.seed, at)),
  }))
  for (const { request, requestId } of wanted) {
    const made = (): void => {
      const block = chain.block(chain.latest)
      chain.setRequest({
        ...{ requestId, requester: GATEWAY, keyId, status: "open", policy: request.policy },
        handles: pick(request.handles).map(({ handle }) => handle),
        blockNumber: block.number,
        blockHash: block.hash,
        uncancellableFrom: block.timestamp + BigInt(request.cancelWindow),
        deadline: block.timestamp + BigInt(request.deadline),
      })
      if (request.cancels) timeline.after(random.below(1000 * request.cancelWindow), null, cancel)
    }
    const cancel = (): void =>
      chain.submit(`${brief(requestId)} is cancelled`, () => {
        const known = chain.requests.get(requestId)?.at(chain.latest) ?? null
        const { timestamp } = chain.block(chain.latest)
        if (known?.status === "open" && timestamp < known.uncancellableFrom)
          chain.setRequest({ ...known, status: "cancelled" })
      })
    timeline.after(request.at, null, () => chain.submit(`request ${brief(requestId)}`, made))
  }

  const users = plan.users.map(({ at, handles }, number): User & { readonly due: boolean } => {
    const user = createUser(world, nodes, pick(handles), number)
    timeline.after(at, null, () => user.ask())
    return { ...user, due: canOpen(handles) && plan.budgetLeft === null }
  })

  /** As many seats as are promised can give what the requester demands. */
  const canMeet = ({ policy }: RequestPlan): boolean =>
    Math.max(policy.endorsements, policy.freshQuotes) <= plan.n - plan.t
  const mustOpen = (request: RequestPlan): boolean =>
    plan.budgetLeft === null &&
    canOpen(request.handles) &&
    canMeet(request) &&
    request.handles.every((at) => plan.handles[at]?.allowed === true)
  const isStillOpen = (request: DecryptionRequest | null): boolean =>
    request === null || (request.status === "open" && chain.block(chain.latest).timestamp <= request.deadline)

  return {
    open: () => {
      const seen = Math.max(0, chain.finalised - SEEN_AFTER)
      return wanted.filter(({ requestId }) => {
        const history = chain.requests.get(requestId)
        if (history === undefined) return false
        const then = history.at(seen)
        return then === null || (then.status === "open" && chain.block(seen).timestamp <= then.deadline)
      }).length
    },
    served: () => users.filter((user) => user.done()).length,
    missing: () => [
      ...wanted
        .filter(({ request, requestId }) => {
          const now = chain.requests.get(requestId)?.at(chain.latest) ?? null
          return mustOpen(request) && !gateway.fulfilled.has(requestId) && isStillOpen(now)
        })
        .map(({ requestId }) => `request ${brief(requestId)}`),
      ...users.filter((user) => user.due && !user.done()).map(({ name }) => name),
    ],
  }
}
