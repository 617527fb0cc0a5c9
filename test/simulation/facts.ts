/** What gossip says, as the invariants need it: the one place here that knows the forms of messages. */

import type { Digest, PartyIndex, SessionId } from "@twinlock/sdk/protocol/ids"
import { decodeMessage } from "@twinlock/sdk/protocol/messageEncoding"
import type { GossipMessage } from "@twinlock/sdk/protocol/messages"

export type Fact =
  | {
      readonly kind: "approval"
      readonly party: PartyIndex
      readonly subject: Digest
      readonly sessions: readonly SessionId[]
    }
  | {
      readonly kind: "share"
      readonly party: PartyIndex
      readonly subject: Digest
      readonly session: SessionId
      readonly bytes: Uint8Array
    }

/** Facts of one gossip payload, none for kinds that no invariant looks at. */
export function factsOf(payload: Uint8Array): readonly Fact[] {
  const message: GossipMessage = decodeMessage(payload)
  const { kind, party } = message
  switch (kind) {
    case "approval":
      return message.approved.map(({ subject, sessions }) => ({ kind: "approval", party, subject, sessions }))
    case "decryption-shares":
      return message.shares.map(({ subject, sessionId, share }) => ({
        ...{ kind: "share", party, subject, session: sessionId, bytes: share },
      }))
    default:
      return []
  }
}
