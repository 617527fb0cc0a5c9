/**
 * Encrypted inputs (protocol §1, §5.3 of the architecture): verify the proof under the metadata of user, contract, key and
 * CRS, expand, store, and say so under the executor's signature. A copied list fails here: its proof is for another user.
 */
import { sha256Digest, toHex } from "@twinlock/sdk/protocol/codec"
import { hashInputAttestation, type SigningDomain, typedDigest } from "@twinlock/sdk/protocol/eip712"
import { type HandleDomain, inputDigest, inputHandle } from "@twinlock/sdk/protocol/handles"
import type { ExecutorInputsResponse } from "@twinlock/sdk/protocol/http"
import type { Address, Digest, Handle, KeyId } from "@twinlock/sdk/protocol/ids"
import { inputMetadata } from "@twinlock/sdk/protocol/inputMetadata"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import type { Secret } from "../secret.ts"
import type { CiphertextStore } from "./ciphertextStore.ts"
import type { Computer, InputContextFiles } from "./computer.ts"
import { executorError } from "./errors.ts"

/** The active key as an executor serves it. */
export type ServedKey = {
  readonly keyId: KeyId
  readonly domain: HandleDomain
  readonly signing: SigningDomain
  readonly crsDigest: Digest
  readonly files: InputContextFiles
}

export type ProvenInput = { readonly list: Uint8Array; readonly contract: Address; readonly user: Address }

export type Inputs = {
  /** @throws INPUT_REFUSED, INPUT_TOO_LARGE, INPUT_QUEUE_FULL */
  attest(input: ProvenInput): Promise<ExecutorInputsResponse>
  /** Expands a list that the chain accepted and this executor has not seen. @throws INPUT_REFUSED */
  restore(input: ProvenInput): Promise<readonly Handle[]>
}

export type InputsDeps = {
  readonly key: ServedKey
  readonly computer: Computer
  readonly store: CiphertextStore
  readonly signer: Secret<Uint8Array>
  /** Keeps the list where other executors and keyholders find it. */
  readonly publish: (digest: Digest, list: Uint8Array) => Promise<void>
}

export const MAX_LIST_BYTES = 65_536
const MAX_WAITING = 32

export function createInputs({ key, computer, store, signer, publish }: InputsDeps): Inputs {
  const self = signer.use(addressOfSecretKey)
  let queue: Promise<unknown> = Promise.resolve()
  let waiting = 0

  async function expand({ list, contract, user }: ProvenInput): Promise<readonly Handle[]> {
    const metadata = inputMetadata({
      ...key.domain,
      contract,
      user,
      keyId: key.keyId,
      crsDigest: key.crsDigest,
    })
    const values = await computer.expandInputs(list, key.files, metadata).catch((cause: unknown) => {
      throw executorError(
        "INPUT_REFUSED",
        `the proof does not hold for user ${user} and contract ${contract}`,
        { cause },
      )
    })
    const listDigest = sha256Digest(list)
    return Promise.all(
      values.map(async ({ fheType, ciphertext }, index) => {
        const origin = { keyId: key.keyId, listDigest, index, contract, user }
        const handle = inputHandle(key.domain, { ...origin, fheType })
        await store.put(handle, {
          operationDigest: inputDigest(key.domain, origin),
          inputsDigest: listDigest,
          bytes: ciphertext,
        })
        return handle
      }),
    )
  }

  return {
    restore: expand,
    async attest(input) {
      if (input.list.length > MAX_LIST_BYTES)
        throw executorError(
          "INPUT_TOO_LARGE",
          `a list has at most ${MAX_LIST_BYTES} bytes, got ${input.list.length}`,
        )
      if (waiting >= MAX_WAITING) throw executorError("INPUT_QUEUE_FULL", `${waiting} inputs wait already`)
      waiting += 1
      const expanded = queue.then(() => expand(input))
      queue = expanded.catch(() => {})
      try {
        const handles = await expanded
        const listDigest = sha256Digest(input.list)
        await publish(listDigest, input.list)
        const statement = {
          keyId: key.keyId,
          coprocessor: key.domain.coprocessor,
          contractAddress: input.contract,
          user: input.user,
          listDigest,
          handles,
        }
        const digest = typedDigest(key.signing, hashInputAttestation(statement))
        return { handles, signer: self, signature: toHex(signer.use((secret) => signDigest(digest, secret))) }
      } finally {
        waiting -= 1
      }
    },
  }
}
