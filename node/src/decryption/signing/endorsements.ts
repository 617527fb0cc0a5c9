/**
 * Signatures of seats over batches (protocol §7, rules E and A): who endorsed which batch of this node's own results.
 * An endorsement names no other signer, so that they add up one by one. Bounded per party; public data.
 */
import { compactSignature } from "@twinlock/sdk/protocol/certificate"
import { signerOf } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import {
  recoverSigner,
  type SignerRecovery,
  signDigest,
  verifySignature,
} from "@twinlock/sdk/protocol/signature"
import type { KeySeat } from "../seat.ts"
import { type Batch, type EndorsedBatch, endorsedDigest } from "./batch.ts"

export type EndorsementBook = {
  /** This node's own signature over a batch of its own results; made once. */
  own(batch: Batch): Uint8Array
  /** @returns false where the signature is not the seat's */
  add(batch: Batch, party: PartyIndex, signature: Uint8Array): boolean
  /** Who endorsed a batch, ascending. */
  endorsers(batch: Batch): readonly PartyIndex[]
  /** The batch under these parties' signatures. */
  endorsed(batch: Batch, parties: readonly PartyIndex[]): EndorsedBatch
  forget(batch: Batch): void
}

/** @param perParty batches of one party that this node did not endorse itself; the oldest go first. */
export function createEndorsementBook(
  seat: KeySeat,
  recover: SignerRecovery = recoverSigner,
  perParty = 64,
): EndorsementBook {
  const pages = new Map<Digest, Map<PartyIndex, Uint8Array>>()
  const strange = new Map<PartyIndex, Digest[]>()
  const pageOf = ({ root }: Batch) => pages.get(root) ?? new Map<PartyIndex, Uint8Array>()

  /** Keeps what a party said about a batch that this node did not sign, within the party's own bound. */
  function bound(party: PartyIndex, root: Digest): void {
    const roots = (strange.get(party) ?? []).filter((other) => other !== root)
    roots.push(root)
    strange.set(party, roots)
    const oldest = roots.length > perParty ? roots.shift() : undefined
    if (oldest === undefined) return
    const page = pages.get(oldest)
    if (page?.has(seat.self) === true) return
    page?.delete(party)
    if (page?.size === 0) pages.delete(oldest)
  }

  return {
    own(batch) {
      const page = pageOf(batch)
      pages.set(batch.root, page)
      const [oldest] = pages.keys()
      if (pages.size > PAGES && oldest !== undefined) pages.delete(oldest)
      const known = page.get(seat.self)
      if (known !== undefined) return known
      const signature = seat.signer.use((key) => (seat.sign ?? signDigest)(endorsedDigest(seat, batch), key))
      page.set(seat.self, signature)
      return signature
    },
    add(batch, party, signature) {
      const page = pageOf(batch)
      if (page.has(party)) return true
      if (!isSeats(seat, batch, party, signature, recover)) return false
      pages.set(batch.root, page)
      page.set(party, signature)
      if (!page.has(seat.self)) bound(party, batch.root)
      return true
    },
    endorsers: (batch) => [...pageOf(batch).keys()].sort((a, b) => a - b),
    endorsed(batch, parties) {
      const page = pageOf(batch)
      const signatures = parties.map((party) => compactSignature(page.get(party) ?? new Uint8Array()))
      return { kind: "endorsed", batch, parties, signatures }
    },
    forget: ({ root }) => void pages.delete(root),
  }
}

/** Batches that are remembered at most. */
const PAGES = 2048

function isSeats(
  seat: KeySeat,
  batch: Batch,
  party: PartyIndex,
  signature: Uint8Array,
  recover: SignerRecovery,
): boolean {
  try {
    verifySignature(endorsedDigest(seat, batch), signature, signerOf(seat.committee, party), recover)
    return true
  } catch {
    return false
  }
}
