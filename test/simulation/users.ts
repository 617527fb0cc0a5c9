/** Users who ask every node for their shares, again and again, until a quorum of them opens. */
import type { UserRequest } from "@twinlock/node/decryption/authoriseUser"
import { fromHex, toHex } from "@twinlock/sdk/protocol/codec"
import { quorum } from "@twinlock/sdk/protocol/committee"
import { hashUserDecryptionPermit, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { NodeUserDecryptionResponse } from "@twinlock/sdk/protocol/http"
import { parseAddress, parsePartyIndex, type SessionId } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { userSubject } from "@twinlock/sdk/protocol/subjects"
import { openShare, TransportKey, transportKeyHash } from "@twinlock/sdk/threshold/sealedShare"
import { GENESIS_SECONDS } from "./chain.ts"
import type { Ciphertext } from "./ciphertexts.ts"
import { SimulationFailure } from "./failure.ts"
import type { Node } from "./node.ts"
import { DOMAIN, EPOCH, guarded, SIGNING, type World } from "./world.ts"

export type User = {
  /** True once a quorum of good shares came. */
  done(): boolean
  readonly name: string
  ask(): void
}

const CONTRACT = parseAddress(`0x${"ca".repeat(20)}`)
const AGAIN_MS = 20_000
const DAY = 86_400n

export function createUser(
  world: World,
  nodes: readonly Node[],
  ciphertexts: readonly Ciphertext[],
  number: number,
): User {
  const random = world.random.fork(`user/${number}`)
  const secretKey = random.bytes(32)
  secretKey[0] = 1
  const user = addressOfSecretKey(secretKey)
  const transport = new TransportKey(random.bytes(32))
  const permit: UserRequest["permit"] = {
    ...{ user, contracts: [CONTRACT], nonce: 0n, chainId: DOMAIN.chainId, extra: new Uint8Array() },
    transportKeyHash: transportKeyHash(transport.publicKey),
    notBefore: GENESIS_SECONDS,
    notAfter: GENESIS_SECONDS + DAY,
  }
  const permitHash = typedDigest(SIGNING, hashUserDecryptionPermit(permit))
  const handles = ciphertexts.map(({ handle }) => handle)
  const request: UserRequest = {
    permit,
    signature: signDigest(permitHash, secretKey),
    transportKey: transport.publicKey,
    handles: handles.map((handle) => ({ handle, contract: CONTRACT })),
  }
  const subject = userSubject(permitHash, handles)
  for (const handle of handles)
    for (const account of [user, CONTRACT]) world.chain.readers.add(`${handle}/${account}`)
  const good = new Set<number>()

  /** Opens what one node sealed; a share that is not the party's is only taken from a liar. */
  function take(node: Node, answer: NodeUserDecryptionResponse): void {
    const party = parsePartyIndex(answer.party, world.plan.n)
    const sent = new Map<SessionId, Uint8Array>()
    for (const { handle, sessionId, sealed } of answer.sealedShares) {
      const context = {
        ...{ keyId: answer.keyId, epoch: EPOCH, sessionId, chainId: DOMAIN.chainId, handle },
        ...{ user, permitHash, party },
      }
      sent.set(sessionId, openShare(transport.secretKey, context, fromHex(sealed)))
    }
    world.checks.answer(party, subject, user, sent)
    const lies = [...sent].some(
      ([session, bytes]) => toHex(bytes) !== toHex(world.dealer.sharesOf(session, party)),
    )
    if (lies && world.plan.faulty.get(party) !== "liar")
      throw new SimulationFailure("plaintext", `party ${party} seals a share that is not its own`)
    if (!lies && sent.size === handles.length) good.add(node.machine.party)
  }

  const failed = (error: unknown): void => {
    if (!isProtocolError(error)) world.fail(error instanceof Error ? error : new Error(String(error)))
  }
  const done = (): boolean => good.size >= quorum(world.plan)
  return {
    name: `user ${number}`,
    done,
    ask() {
      if (done()) return
      for (const node of nodes) {
        const { process } = node
        if (process === null) continue
        world.timeline.after(random.exponential(50), process, () => {
          const { service } = node
          if (service === null) return
          service.user.answer(request).then((answer) => guarded(world, () => take(node, answer)), failed)
        })
      }
      world.timeline.after(AGAIN_MS, null, () => this.ask())
    },
  }
}
