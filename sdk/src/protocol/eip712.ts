/**
 * Typed data of the protocol (protocol §1, §6): one EIP-712 type per purpose under one domain. Each type string and the
 * order of its fields is written out once here; the contracts hash the same strings. Public data only.
 */
import { abiWord, concatBytes, hashWords, keccak, utf8ToBytes, type Word } from "./codec.ts"
import { ProtocolError } from "./errors.ts"
import type { Address, Digest, Epoch, Handle, Hex, KeyId, RequestId, SessionId } from "./ids.ts"

export type Eip712ErrorCode = "EIP712_RANGE"

/** `verifyingContract` is the DecryptionVerifier. */
export type SigningDomain = { readonly chainId: bigint; readonly verifyingContract: Address }

export const DOMAIN_NAME = "Twinlock"
export const DOMAIN_VERSION = "1"
const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"

export const TYPE_STRINGS = {
  resultBatch: "ResultBatch(bytes32 keyId,uint32 epoch,uint256 signers,bytes32 root,uint32 leaves)",
  endorsedBatch: "EndorsedBatch(bytes32 keyId,uint32 epoch,bytes32 root,uint32 leaves)",
  decryptionResult:
    "DecryptionResult(uint256 chainId,address gateway,bytes32 requestId,bytes32[] handles,bytes32[] sessions,bytes plaintexts)",
  keyActivation:
    "KeyActivation(bytes32 keyId,uint32 epoch,bytes32 publicKeyDigest,bytes32 serverKeyDigest,bytes32 crsDigest,bytes32 transcriptDigest,uint256 groupX,uint8 groupV)",
  discard: "Discard(bytes32 keyId)",
  registration:
    "Registration(address operator,uint8 role,address signer,bytes32 peerIdHash,bytes32 configHash,uint64 challengeBlock)",
  approval:
    "Approval(bytes32 keyId,uint32 epoch,Approved[] approved,uint64 blockNumber,bytes32 blockHash,uint8 verdict,bytes32 commitments)Approved(bytes32 subject,bytes32[] sessions)",
  userDecryptionPermit:
    "UserDecryptionPermit(address user,bytes32 transportKeyHash,address[] contracts,uint64 notBefore,uint64 notAfter,uint256 nonce,uint256 chainId,bytes extra)",
  inputAttestation:
    "InputAttestation(bytes32 keyId,address coprocessor,address contractAddress,address user,bytes32 listDigest,bytes32[] handles)",
} as const

/** A batch of results under one group signature. `signers`: bit (i−1) is party i. */
export type ResultBatch = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly signers: bigint
  readonly root: Digest
  readonly leaves: number
}
/** A batch of results as one seat signs it, whoever else does (protocol §7, rules E and A). */
export type EndorsedBatch = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly root: Digest
  readonly leaves: number
}
/** One result; its struct hash is the content of a Merkle leaf. `plaintexts`: one 32-byte word per handle. */
export type DecryptionResult = {
  readonly chainId: bigint
  readonly gateway: Address
  readonly requestId: RequestId
  readonly handles: readonly Handle[]
  readonly sessions: readonly SessionId[]
  readonly plaintexts: Uint8Array
}
/** Signed by all n seats and by the group. */
export type KeyActivation = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly publicKeyDigest: Digest
  readonly serverKeyDigest: Digest
  readonly crsDigest: Digest
  readonly transcriptDigest: Digest
  readonly groupX: bigint
  readonly groupV: number
}
export type Discard = { readonly keyId: KeyId }
/** An operator's consent to the registration of its node. */
export type Registration = {
  readonly operator: Address
  readonly role: number
  readonly signer: Address
  readonly peerIdHash: Digest
  readonly configHash: Digest
  readonly challengeBlock: bigint
}
/** A subject and its sessions, one per handle in the order of the subject's handles. */
export type Approved = { readonly subject: Digest; readonly sessions: readonly SessionId[] }
export type ApprovalContent = {
  readonly keyId: KeyId
  readonly epoch: Epoch
  readonly approved: readonly Approved[]
  readonly blockNumber: bigint
  readonly blockHash: Digest
  readonly verdict: number
  readonly commitments: Digest
}
/** A user's consent to read under a fresh transport key. Times are seconds of chain time. */
export type UserDecryptionPermit = {
  readonly user: Address
  readonly transportKeyHash: Digest
  readonly contracts: readonly Address[]
  readonly notBefore: bigint
  readonly notAfter: bigint
  readonly nonce: bigint
  readonly chainId: bigint
  readonly extra: Uint8Array
}
/** An executor's word that it verified the proof of a list and stores its ciphertexts. */
export type InputAttestation = {
  readonly keyId: KeyId
  readonly coprocessor: Address
  readonly contractAddress: Address
  readonly user: Address
  readonly listDigest: Digest
  readonly handles: readonly Handle[]
}

const typeHash = (type: string): Digest => keccak(utf8ToBytes(type))
const struct = (type: string, ...words: readonly Word[]): Digest =>
  keccak(concatBytes(abiWord(typeHash(type)), ...words.map(abiWord)))

/** @throws EIP712_RANGE: a contract could never hash a wider value under the same type. */
function uint(bits: number, value: number | bigint): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new ProtocolError({ code: "EIP712_RANGE", message: `want an integer, got ${value}` })
  const wide = BigInt(value)
  if (wide < 0n || wide >> BigInt(bits) !== 0n)
    throw new ProtocolError({ code: "EIP712_RANGE", message: `${value} does not fit in uint${bits}` })
  return wide
}

export const hashResultBatch = (batch: ResultBatch): Digest =>
  struct(
    TYPE_STRINGS.resultBatch,
    batch.keyId,
    uint(32, batch.epoch),
    batch.signers,
    batch.root,
    uint(32, batch.leaves),
  )

export const hashEndorsedBatch = (batch: EndorsedBatch): Digest =>
  struct(TYPE_STRINGS.endorsedBatch, batch.keyId, uint(32, batch.epoch), batch.root, uint(32, batch.leaves))

export const hashDecryptionResult = (result: DecryptionResult): Digest =>
  struct(
    TYPE_STRINGS.decryptionResult,
    result.chainId,
    result.gateway,
    result.requestId,
    hashWords(result.handles),
    hashWords(result.sessions),
    keccak(result.plaintexts),
  )

export const hashKeyActivation = (activation: KeyActivation): Digest =>
  struct(
    TYPE_STRINGS.keyActivation,
    activation.keyId,
    uint(32, activation.epoch),
    activation.publicKeyDigest,
    activation.serverKeyDigest,
    activation.crsDigest,
    activation.transcriptDigest,
    activation.groupX,
    uint(8, activation.groupV),
  )

export const hashDiscard = (discard: Discard): Digest => struct(TYPE_STRINGS.discard, discard.keyId)

export const hashRegistration = (registration: Registration): Digest =>
  struct(
    TYPE_STRINGS.registration,
    registration.operator,
    uint(8, registration.role),
    registration.signer,
    registration.peerIdHash,
    registration.configHash,
    uint(64, registration.challengeBlock),
  )

const APPROVED_TYPE = TYPE_STRINGS.approval.slice(TYPE_STRINGS.approval.indexOf("Approved("))

export const hashApproval = (approval: ApprovalContent): Digest =>
  struct(
    TYPE_STRINGS.approval,
    approval.keyId,
    uint(32, approval.epoch),
    hashWords(
      approval.approved.map(({ subject, sessions }) => struct(APPROVED_TYPE, subject, hashWords(sessions))),
    ),
    uint(64, approval.blockNumber),
    approval.blockHash,
    uint(8, approval.verdict),
    approval.commitments,
  )

export const hashUserDecryptionPermit = (permit: UserDecryptionPermit): Digest =>
  struct(
    TYPE_STRINGS.userDecryptionPermit,
    permit.user,
    permit.transportKeyHash,
    hashWords(permit.contracts),
    uint(64, permit.notBefore),
    uint(64, permit.notAfter),
    permit.nonce,
    permit.chainId,
    keccak(permit.extra),
  )

export const hashInputAttestation = (attestation: InputAttestation): Digest =>
  struct(
    TYPE_STRINGS.inputAttestation,
    attestation.keyId,
    attestation.coprocessor,
    attestation.contractAddress,
    attestation.user,
    attestation.listDigest,
    hashWords(attestation.handles),
  )

export const domainSeparator = (domain: SigningDomain): Digest =>
  struct(
    DOMAIN_TYPE,
    keccak(utf8ToBytes(DOMAIN_NAME)),
    keccak(utf8ToBytes(DOMAIN_VERSION)),
    domain.chainId,
    domain.verifyingContract,
  )

/** What is signed: keccak256(0x1901 ‖ domain separator ‖ struct hash). */
export const typedDigest = (domain: SigningDomain, structHash: Digest): Digest =>
  keccak(concatBytes(Uint8Array.of(0x19, 0x01), abiWord(domainSeparator(domain)), abiWord(structHash)))

/** A type string with the structs that it names, as wallets want it: `{ Discard: [{ name: "keyId", type: "bytes32" }] }`. */
export function walletTypes(
  type: string,
): Record<string, { readonly name: string; readonly type: string }[]> {
  const structs = [...type.matchAll(/(\w+)\(([^)]*)\)/g)]
  return Object.fromEntries(
    structs.map(([, struct = "", fields = ""]) => [
      struct,
      fields.split(",").map((field) => {
        const [fieldType = "", name = ""] = field.split(" ")
        return { name, type: fieldType }
      }),
    ]),
  )
}

/** The domain as wallets want it. */
export const walletDomain = (
  domain: SigningDomain,
): {
  readonly name: string
  readonly version: string
  readonly chainId: bigint
  readonly verifyingContract: Hex
} => ({
  name: DOMAIN_NAME,
  version: DOMAIN_VERSION,
  chainId: domain.chainId,
  verifyingContract: domain.verifyingContract,
})
