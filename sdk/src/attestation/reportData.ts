/**
 * What a quote says in its 64 bytes of report data (protocol §2). Other software in the same trust domain can ask for
 * quotes over bytes of its choice, so every binding starts with its own domain tag and names chain and registry.
 */
import { concatBytes, fromHex, keccak, taggedHash, toHex } from "../protocol/codec.ts"
import type { Address, Digest, Hex } from "../protocol/ids.ts"
import { attestationError } from "./errors.ts"
import { type Role, roleCode } from "./role.ts"

/** keccak256 of the libp2p peer id's multihash bytes (`peerId.toMultihash().bytes`). */
export const peerIdHashOf = (multihash: Uint8Array): Digest => keccak(multihash)

export type RegistrationBinding = {
  readonly chainId: bigint
  readonly nodeRegistry: Address
  readonly operator: Address
  readonly role: Role
  readonly signer: Address
  readonly peerIdHash: Digest
  readonly configHash: Digest
  readonly challengeBlock: bigint
  readonly challengeBlockHash: Digest
}

/** Report data of a registration or renewal: 32 bytes of binding, then the hash of the challenge block. */
export function registrationReportData(binding: RegistrationBinding): Uint8Array {
  const bound = taggedHash(
    "twinlock/registration/v1",
    binding.chainId,
    binding.nodeRegistry,
    binding.operator,
    roleCode(binding.role),
    binding.signer,
    binding.peerIdHash,
    binding.configHash,
    binding.challengeBlock,
  )
  return concatBytes(fromHex(bound), fromHex(binding.challengeBlockHash))
}

export type ChannelBinding = {
  /** Of the node that makes the quote. */
  readonly ownPeerHash: Digest
  readonly otherPeerHash: Digest
  /** 32 fresh bytes of the other side. */
  readonly otherNonce: Digest
  /** Of the node that makes the quote. */
  readonly role: Role
  readonly chainId: bigint
  readonly nodeRegistry: Address
}

/** Report data of one direction of an attested channel: 32 bytes of binding, then zeros. */
export function channelReportData(binding: ChannelBinding): Uint8Array {
  const bound = taggedHash(
    "twinlock/channel/v1",
    binding.ownPeerHash,
    binding.otherPeerHash,
    binding.otherNonce,
    roleCode(binding.role),
    binding.chainId,
    binding.nodeRegistry,
  )
  return concatBytes(fromHex(bound), new Uint8Array(32))
}

/** @throws POLICY_REPORT_DATA unless the quoted bytes are exactly the 64 wanted ones. */
export function checkReportData(quoted: Hex, wanted: Uint8Array): void {
  if (wanted.length !== 64 || quoted !== toHex(wanted))
    throw attestationError(
      "POLICY_REPORT_DATA",
      `report data ${quoted.slice(0, 18)}… does not bind this purpose`,
    )
}
