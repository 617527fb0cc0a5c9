/**
 * Generation of the epoch's group signing key inside the ceremony (protocol §4, §6): commitments with proofs of
 * possession, private shares sealed to each recipient's ephemeral key, and the public package that all must agree on.
 * The ceremony's echo binds every broadcast before a share leaves. All n parties must deal.
 */
import { concatBytes, fromHex, sha256Digest, taggedHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes, quorum } from "@twinlock/sdk/protocol/committee"
import { ProtocolError } from "@twinlock/sdk/protocol/errors"
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import type { Rng } from "@twinlock/sdk/protocol/rng"
import { POINT_BYTES, SCALAR_BYTES } from "@twinlock/sdk/threshold/curve"
import { encodePublicKeyPackage } from "@twinlock/sdk/threshold/frost"
import {
  type AgreedDealers,
  agreeOnDealers,
  type DkgDealing,
  type DkgSession,
  decodeDkgBroadcast,
  echoDigest,
  encodeDkgBroadcast,
  finishDkg,
  makeShares,
  startDkg,
} from "@twinlock/sdk/threshold/frostDkg"
import type { SigningKey } from "./activationRounds.ts"
import type { Attempt } from "./attempt.ts"
import { broadcastOf, eachParty, publicMessage, type Round, type Slot } from "./rounds.ts"
import type { Incoming, RoundSpec } from "./state.ts"

export type DkgRoundErrorCode =
  /** a share's seal does not open. */
  | "DKG_SEAL"
  /** a party has another public package. */
  | "DKG_PACKAGE_DIFFERS"

const dkgError = (code: DkgRoundErrorCode, message: string, culprits: readonly PartyIndex[]): ProtocolError =>
  new ProtocolError({ code, message, culprits })

/** Encryption of one share to its recipient's ephemeral key; `context` is authenticated. */
export type ShareSealing = {
  readonly publicKeyBytes: number
  readonly overheadBytes: number
  /** **Security:** the secret key lives for one attempt. */
  generate(): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }
  seal(publicKey: Uint8Array, context: Uint8Array, plain: Uint8Array): Uint8Array
  /** Null where the box does not open. */
  open(secretKey: Uint8Array, context: Uint8Array, box: Uint8Array): Uint8Array | null
}

export type DkgDeps = {
  readonly rng: Rng
  readonly sealing: ShareSealing
  readonly timeoutMs: number
  readonly signingKey: Slot<SigningKey>
  /** Registers what must be wiped when the attempt ends. */
  onEnd(wipe: () => void): void
}

/** Separates the proofs of possession of this attempt from all others. */
export const dkgSessionOf = ({ committee, attempt, proposalDigest }: Attempt): DkgSession => ({
  session: taggedHash("twinlock/dkg/v1", committee.keyId, committee.epoch, attempt, proposalDigest),
  n: committee.n,
  quorum: quorum(committee),
})

export function dkgRounds(attempt: Attempt, deps: DkgDeps): readonly Round[] {
  const { committee, self } = attempt
  const { sealing } = deps
  const parties = partyIndexes(committee)
  const session = dkgSessionOf(attempt)
  const dealingBytes = session.quorum * POINT_BYTES + POINT_BYTES + SCALAR_BYTES
  const ephemeral = sealing.generate()
  const shares = new Map<PartyIndex, Uint8Array>()
  let dealing: DkgDealing | null = null
  let agreed: AgreedDealers | null = null
  let recipients: ReadonlyMap<PartyIndex, Uint8Array> = new Map()
  deps.onEnd(() => {
    ephemeral.secretKey.fill(0)
    dealing?.wipe()
    for (const share of shares.values()) share.fill(0)
  })
  const spec = (name: string, maxBroadcast: number, maxSealed: number): RoundSpec => ({
    name,
    speakers: parties,
    maxBroadcast,
    maxSealed,
    timeoutMs: deps.timeoutMs,
    binding: false,
    kept: true,
  })
  const known = <T>(value: T | null): T => {
    if (value === null) throw new Error("a round of the signing key ran out of order")
    return value
  }
  const context = (dealer: PartyIndex, to: PartyIndex): Uint8Array =>
    fromHex(taggedHash("twinlock/dkg-share/v1", session.session, dealer, to))

  const commit: Round = {
    spec: spec("dkg-commit", dealingBytes + sealing.publicKeyBytes, 0),
    async produce() {
      dealing = startDkg(session, self, deps.rng)
      return publicMessage(concatBytes(encodeDkgBroadcast(dealing.broadcast), ephemeral.publicKey))
    },
    async consume(incoming) {
      const broadcasts = parties.map((party) =>
        decodeDkgBroadcast(session, party, broadcastOf(incoming, party).slice(0, dealingBytes)),
      )
      // The ceremony's echo of this round is all n parties' word that they hold these broadcasts.
      const seen = echoDigest(session, broadcasts)
      agreed = agreeOnDealers(session, broadcasts, new Map(parties.map((party) => [party, seen])))
      recipients = publicKeysOf(incoming)
    },
  }

  function publicKeysOf(incoming: Incoming): ReadonlyMap<PartyIndex, Uint8Array> {
    const keys = parties.map((party) => [party, broadcastOf(incoming, party).slice(dealingBytes)] as const)
    const short = keys.filter(([, key]) => key.length !== sealing.publicKeyBytes).map(([party]) => party)
    if (short.length > 0)
      throw dkgError("DKG_SEAL", `an ephemeral key has ${sealing.publicKeyBytes} bytes`, short)
    return new Map(keys)
  }

  function sealFor(to: PartyIndex, share: Uint8Array): Uint8Array {
    try {
      return sealing.seal(recipients.get(to) ?? new Uint8Array(), context(self, to), share)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      throw dkgError("DKG_SEAL", `nothing can be sealed to the key of party ${to}: ${error.message}`, [to])
    }
  }

  const deal: Round = {
    spec: spec("dkg-shares", 0, SCALAR_BYTES + sealing.overheadBytes),
    async produce() {
      const made = makeShares(known(agreed), known(dealing))
      const sealed = parties.map((to) => {
        const share = made.get(to) ?? new Uint8Array()
        if (to !== self) return sealFor(to, share)
        shares.set(self, share)
        return null
      })
      for (const [to, share] of made) if (to !== self) share.fill(0)
      return { broadcast: new Uint8Array(), sealed }
    },
    async consume(incoming) {
      for (const dealer of parties) {
        if (dealer === self) continue
        const box = incoming.sealed.get(dealer)
        const share = box === undefined ? null : sealing.open(ephemeral.secretKey, context(dealer, self), box)
        if (share === null) throw dkgError("DKG_SEAL", `the share of party ${dealer} does not open`, [dealer])
        shares.set(dealer, share)
      }
      deps.signingKey.set(finishDkg(known(agreed), self, shares))
    },
  }

  const packageBytes = 2 + (session.quorum + committee.n) * POINT_BYTES
  const confirm: Round = {
    spec: spec("dkg-confirm", packageBytes, 0),
    produce: async () => publicMessage(encodePublicKeyPackage(deps.signingKey.get().publicKey)),
    consume: (incoming) => {
      const own = sha256Digest(encodePublicKeyPackage(deps.signingKey.get().publicKey))
      return eachParty(incoming, (party, broadcast) => {
        if (sha256Digest(broadcast) !== own)
          throw dkgError("DKG_PACKAGE_DIFFERS", `party ${party} has another public package`, [party])
      })
    },
  }
  return [commit, deal, confirm]
}
