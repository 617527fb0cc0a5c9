/**
 * The user's consent to a private decryption (protocol §10): an EIP-712 permit for a fresh transport key, some contracts and
 * a limited time. One permit serves any number of decryptions until it ends or the user revokes it.
 */
import type { Signer } from "ethers"
import { signingDomainOf } from "../chain/deployments.ts"
import { readPermitFloor } from "../chain/read.ts"
import type { TwinlockClient } from "../client.ts"
import { sdkError } from "../errors.ts"
import { fromHex } from "../protocol/codec.ts"
import {
  hashUserDecryptionPermit,
  TYPE_STRINGS,
  typedDigest,
  type UserDecryptionPermit,
  walletDomain,
  walletTypes,
} from "../protocol/eip712.ts"
import { type Address, type Digest, parseAddress } from "../protocol/ids.ts"
import { generateTransportKey, type TransportKey, transportKeyHash } from "../threshold/sealedShare.ts"

/** What is needed of an ethers signer. */
export type PermitSigner = Pick<Signer, "getAddress" | "signTypedData">

export type SignPermitParams = {
  readonly signer: PermitSigner
  /** 1..10 contracts whose handles may be read. */
  readonly contracts: readonly Address[]
  /** Seconds of chain time, at most a year; a day by default. */
  readonly duration?: number
}

/** **Security:** `transportKey` opens the answers; keep the permit on the user's side. */
export type SignedPermit = {
  readonly permit: UserDecryptionPermit
  readonly signature: Uint8Array
  readonly transportKey: TransportKey
}

const DAY = 86_400
const YEAR = 365 * DAY
const MAX_CONTRACTS = 10
/** Seconds by which a permit starts early: nodes may be a few blocks behind the endpoints. */
const START_MARGIN = 300n

/**
 * Asks the user's wallet for a permit. A contract account signs through its own wallet (ERC-1271).
 * @throws PERMIT_INVALID, the wallet's own errors, and the codes of endpoints.ts
 */
export async function signPermit(client: TwinlockClient, params: SignPermitParams): Promise<SignedPermit> {
  const { signer, contracts, duration = DAY } = params
  const { chain, rng } = client
  const user = parseAddress(await signer.getAddress())
  if (contracts.length < 1 || contracts.length > MAX_CONTRACTS || contracts.includes(user))
    throw sdkError(
      "PERMIT_INVALID",
      `a permit names 1..${MAX_CONTRACTS} contracts and not the user ${user}, got ${contracts.join(", ")}`,
    )
  if (!Number.isSafeInteger(duration) || duration < 1 || duration > YEAR)
    throw sdkError("PERMIT_INVALID", `a permit lasts 1..${YEAR} seconds, got ${duration}`)
  const at = await chain.endpoints.head()
  const { nonce, invalidBefore } = await readPermitFloor(chain, user, at)
  const early = at.timestamp - START_MARGIN
  const notBefore = early > invalidBefore ? early : invalidBefore
  const transportKey = generateTransportKey(rng)
  const permit: UserDecryptionPermit = {
    user,
    transportKeyHash: transportKeyHash(transportKey.publicKey),
    contracts: [...contracts],
    notBefore,
    notAfter: notBefore + BigInt(duration),
    nonce,
    chainId: chain.deployment.chainId,
    extra: new Uint8Array(),
  }
  const domain = walletDomain(signingDomainOf(chain.deployment))
  const types = walletTypes(TYPE_STRINGS.userDecryptionPermit)
  const signature = fromHex(await signer.signTypedData(domain, types, permit))
  return { permit, signature, transportKey }
}

/** What the user signed, and what the sealed shares are bound to. */
export const permitHashOf = (client: TwinlockClient, permit: UserDecryptionPermit): Digest =>
  typedDigest(signingDomainOf(client.chain.deployment), hashUserDecryptionPermit(permit))
