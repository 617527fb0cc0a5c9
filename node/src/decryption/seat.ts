/** What a keyholder is for one key: its seat, its committee, its signing key. */
import type { Committee } from "@twinlock/sdk/protocol/committee"
import type { SigningDomain } from "@twinlock/sdk/protocol/eip712"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { signMessage } from "@twinlock/sdk/protocol/messageSignature"
import type { GossipMessage, MessageKind, Unsigned } from "@twinlock/sdk/protocol/messages"
import type { DigestSigner } from "@twinlock/sdk/protocol/signature"
import type { Secret } from "../secret.ts"
import type { KeyContext } from "./ciphertexts.ts"

export type KeySeat = {
  readonly key: KeyContext
  readonly committee: Committee
  readonly self: PartyIndex
  /** EIP-712 domain of the key's verifier. */
  readonly signing: SigningDomain
  /** **Security:** the seat's secp256k1 key; MUST NOT leave the enclave. */
  readonly signer: Secret<Uint8Array>
  /** A faster kernel for its signatures. */
  readonly sign?: DigestSigner | undefined
}

type Body<M extends GossipMessage> = Omit<Unsigned<M>, "keyId" | "epoch" | "party">

/** Signs a message as this seat. */
export function signAs<M extends GossipMessage>(seat: KeySeat, body: Body<M>): M {
  const { keyId, epoch } = seat.key
  const unsigned = { ...body, keyId, epoch, party: seat.self } as unknown as Unsigned<M>
  return seat.signer.use((secretKey) => signMessage<M>(unsigned, seat.signing, secretKey, seat.sign))
}

/** Topic of one kind of message for one key; the network adds version, chain and registry. */
export const topicOf = (kind: MessageKind, { key }: KeySeat): string =>
  `${kind}/${key.keyId.slice(2, 18)}/${key.epoch}`
