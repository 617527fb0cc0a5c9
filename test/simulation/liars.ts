/** A node that lies: honest code whose words are changed on their way out, each now and then, and signed anew. */
import type { ChainView, RequestFacts } from "@twinlock/node/chain/chainView"
import { type KeySeat, signAs } from "@twinlock/node/decryption/seat"
import type { DecryptionDeps } from "@twinlock/node/decryption/service"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { parseSessionId } from "@twinlock/sdk/protocol/ids"
import { decodeMessage, encodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type {
  Approval,
  CertificateAnnouncement,
  Endorsement,
  GossipMessage,
  SignatureShare,
} from "@twinlock/sdk/protocol/messages"
import type { Enclaves } from "./enclaves.ts"
import type { Lie } from "./plan.ts"
import type { Random } from "./random.ts"

const OFTEN = 0.6

/** Some bit is another one. */
function flipped(bytes: Uint8Array, random: Random, from = 0): Uint8Array {
  const copy = bytes.slice()
  const at = random.between(from, bytes.length - 1)
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8))
  return copy
}

/** Everything is allowed, and nothing can be cancelled. */
function blindEye(view: ChainView): ChainView {
  const seen = (facts: RequestFacts | null): RequestFacts | null =>
    facts && {
      request: { ...facts.request, uncancellableFrom: 0n },
      handles: facts.handles.map((handle) => ({ ...handle, allowedForDecryption: true })),
    }
  return {
    ...view,
    isAllowedForDecryption: async () => true,
    requestFacts: async (ids, at) =>
      new Map([...(await view.requestFacts(ids, at))].map(([id, facts]) => [id, seen(facts)])),
  }
}

export function lying(
  deps: DecryptionDeps,
  lies: readonly Lie[],
  enclaves: Enclaves,
  random: Random,
): DecryptionDeps {
  const { network, holder, view, seat, quotes } = deps
  const about = (lie: Lie): boolean => lies.includes(lie) && random.chance(OFTEN)
  return {
    ...deps,
    view: lies.includes("approvals") ? blindEye(view) : view,
    holder: {
      ...holder,
      decryptionShares: async (work) =>
        (await holder.decryptionShares(work)).map((share) =>
          about("shares") ? flipped(share, random) : share,
        ),
    },
    quotes: quotes && {
      ...quotes,
      quoteOver: async (reportData) =>
        about("quotes") ? enclaves.forge(reportData) : quotes.quoteOver(reportData),
    },
    network: {
      ...network,
      publish(topic, payload) {
        const lie = lieOf(seat, decodeMessage(payload), about, random)
        return network.publish(topic, lie === null ? payload : encodeMessage(lie))
      },
    },
  }
}

/** What is said in a message's place; null: the message itself. */
function lieOf(
  seat: KeySeat,
  message: GossipMessage,
  about: (lie: Lie) => boolean,
  random: Random,
): GossipMessage | null {
  switch (message.kind) {
    case "approval": {
      if (!about("approvals")) return null
      const other = parseSessionId(toHex(random.bytes(32)))
      const approved = message.approved.map(({ subject, sessions }) => ({
        subject,
        sessions: [...sessions.slice(1), other],
      }))
      return signAs<Approval>(seat, { ...message, approved })
    }
    case "signature-share":
      return about("signature-shares")
        ? signAs<SignatureShare>(seat, { ...message, share: flipped(message.share, random, 1) })
        : null
    case "endorsement":
      return about("endorsements")
        ? signAs<Endorsement>(seat, { ...message, endorsement: flipped(message.endorsement, random, 33) })
        : null
    case "certificate-announcement":
      return about("announcements")
        ? signAs<CertificateAnnouncement>(seat, { ...message, s: message.s ^ 1n })
        : null
    default:
      return null
  }
}
