/**
 * Encrypting inputs for a contract (protocol §1, §8): public key and CRS are used only if they are the files that the
 * registry names, the proof binds contract, user, key and CRS, and what executors attest is recomputed here.
 */
import { AbiCoder } from "ethers"
import { handleDomainOf, signingDomainOf } from "../chain/deployments.ts"
import type { ChainBlock } from "../chain/endpoints.ts"
import { type KeyRecord, readExecutors } from "../chain/read.ts"
import { readLiveUntil } from "../chain/readNodes.ts"
import type { TwinlockClient } from "../client.ts"
import { sdkError } from "../errors.ts"
import { checkInputs, MAX_INPUT_VALUES } from "../fhe/ciphertext.ts"
import { type ClearValue, clearTypeOf } from "../fhe/clearValue.ts"
import { fromHex, sha256Digest, toHex } from "../protocol/codec.ts"
import { hashInputAttestation, typedDigest } from "../protocol/eip712.ts"
import { inputHandles } from "../protocol/handles.ts"
import type { InputsRequest } from "../protocol/http.ts"
import {
  type Address,
  type Digest,
  type Handle,
  type Hex,
  parseAddress,
  parseHandle,
} from "../protocol/ids.ts"
import { inputMetadata } from "../protocol/inputMetadata.ts"
import { verifySignature } from "../protocol/signature.ts"
import { answerList, answerObject, answerText, answerTexts, readAnswer } from "./answer.ts"
import { readUsableKey } from "./usableKey.ts"

/** The argument of `Coprocessor.verifyInput`, as ethers encodes the struct `EncryptedInput`. */
export type EncryptedInput = {
  /** One per value, in order. */
  readonly handles: readonly Handle[]
  readonly listDigest: Digest
  /** Of k executors over `InputAttestation`. */
  readonly signatures: readonly Hex[]
}

export type EncryptParams = {
  /** The contract that will take the input, in a transaction of `user`. */
  readonly contract: Address
  readonly user: Address
  /** 1..32 values of at most 2048 bits together. */
  readonly values: readonly ClearValue[]
  readonly signal?: AbortSignal
}

export type Encrypted = {
  readonly handles: readonly Handle[]
  readonly input: EncryptedInput
  /** `abi.encode(EncryptedInput)` for contracts that take it as bytes. */
  readonly inputProof: Hex
}

const MAX_EXECUTORS = 32

/**
 * Encrypts values and has them verified by the network.
 * @throws VALUE_TYPE, VALUE_OUT_OF_RANGE, INPUT_SIZE before anything is sent; PARAMETERS_UNKNOWN,
 * PUBLIC_KEY_DIGEST_MISMATCH, CRS_DIGEST_MISMATCH before anything is proven; INPUT_HANDLES_MISMATCH, INPUT_ATTESTATIONS and the codes of
 * coordinator.ts, endpoints.ts and read.ts
 */
export async function encrypt(client: TwinlockClient, params: EncryptParams): Promise<Encrypted> {
  const { chain, coordinators } = client
  const { contract, user, values, signal } = params
  checkInputs(values)
  const at = await chain.endpoints.head()
  const key = await readUsableKey(chain, at)
  const [publicKey, crs] = await Promise.all([
    coordinators.file(key.publicKeyDigest, "PUBLIC_KEY_DIGEST_MISMATCH", signal),
    coordinators.file(key.crsDigest, "CRS_DIGEST_MISMATCH", signal),
  ])
  const { keyId, crsDigest } = key
  const metadata = inputMetadata({ ...handleDomainOf(chain.deployment), contract, user, keyId, crsDigest })
  const list = await client.prove({ publicKey, crs, metadata, values })
  signal?.throwIfAborted()
  const fheTypes = values.map(clearTypeOf)
  const handles = inputHandles(handleDomainOf(chain.deployment), { keyId, list, contract, user, fheTypes })
  const attested = { key, contract, user, listDigest: sha256Digest(list), handles }
  const body: InputsRequest = { list: toHex(list), contract, user }
  const signatures = await coordinators.post(
    "/v1/inputs",
    body,
    (answer) => checkAnswer(client, attested, readInputs(answer), at),
    signal,
  )
  const input = { handles, listDigest: attested.listDigest, signatures }
  return { handles, input, inputProof: encodeInput(input) }
}

const encodeInput = ({ handles, listDigest, signatures }: EncryptedInput): Hex =>
  AbiCoder.defaultAbiCoder().encode(
    ["tuple(bytes32[] handles, bytes32 listDigest, bytes[] signatures)"],
    [[handles, listDigest, signatures]],
  ) as Hex

type Attestation = { readonly signer: Address; readonly signature: Hex }

const readInputs = (
  body: unknown,
): { readonly handles: readonly Handle[]; readonly attestations: readonly Attestation[] } =>
  readAnswer("handles and attestations", () => {
    const answer = answerObject(body, "body")
    const attestations = answerList(answer, "attestations", MAX_EXECUTORS).map((item) => {
      const attestation = answerObject(item, "attestation")
      const signature = toHex(fromHex(answerText(attestation, "signature")))
      return { signer: parseAddress(answerText(attestation, "signer")), signature }
    })
    return { handles: answerTexts(answer, "handles", MAX_INPUT_VALUES).map(parseHandle), attestations }
  })

type Attested = {
  readonly key: KeyRecord
  readonly contract: Address
  readonly user: Address
  readonly listDigest: Digest
  readonly handles: readonly Handle[]
}

/**
 * Signatures of the first k distinct live executors that really signed.
 * @throws INPUT_HANDLES_MISMATCH, INPUT_ATTESTATIONS
 */
async function checkAnswer(
  { chain }: TwinlockClient,
  { key, contract: contractAddress, user, listDigest, handles }: Attested,
  answer: ReturnType<typeof readInputs>,
  at: ChainBlock,
): Promise<readonly Hex[]> {
  if (handles.join() !== answer.handles.join())
    throw sdkError(
      "INPUT_HANDLES_MISMATCH",
      `the list gives handles ${handles.join(", ")}, the executors attested ${answer.handles.join(", ")}`,
    )
  const { keyId } = key
  const { coprocessor } = chain.deployment
  const digest = typedDigest(
    signingDomainOf(chain.deployment),
    hashInputAttestation({ keyId, coprocessor, contractAddress, user, listDigest, handles }),
  )
  const { members, k } = await readExecutors(chain, keyId, at)
  const good = new Map<Address, Hex>()
  const faults: string[] = []
  for (const { signer, signature } of answer.attestations) {
    try {
      if (!members.includes(signer)) throw new Error("is no executor of the key")
      if ((await readLiveUntil(chain, signer, at)) <= at.timestamp) throw new Error("has no live standing")
      verifySignature(digest, fromHex(signature), signer)
      good.set(signer, signature)
    } catch (error) {
      faults.push(`${signer}: ${error instanceof Error ? error.message : "unusable"}`)
    }
  }
  if (good.size < k)
    throw sdkError(
      "INPUT_ATTESTATIONS",
      `want attestations of ${k} live executors, got ${good.size} (${faults.join("; ") || "no fault seen"})`,
    )
  return [...good.values()].slice(0, k)
}
