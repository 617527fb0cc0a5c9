/**
 * Results under one group signature: a batch taken apart into results that can each go alone, and put together again from
 * them. The certificates are the contract's to judge; here is only arithmetic on their form.
 */
import { hashDecryptionResult } from "@twinlock/sdk/protocol/eip712"
import {
  type BatchBody,
  type CertificatesRequest,
  type ResultBody,
  resultFromBody,
} from "@twinlock/sdk/protocol/http"
import { leafHash, merkleTree, pathIn } from "@twinlock/sdk/threshold/merkle"

/** Every result with its own path, in the order of the leaves. */
export function resultsOfBatch({ results, certificate }: BatchBody): readonly CertificatesRequest[] {
  const tree = merkleTree(results.map((result) => leafHash(hashDecryptionResult(resultFromBody(result)))))
  return results.map((result, index) => ({
    kind: "group",
    result,
    certificate: { ...certificate, leaves: tree.leaves, index, path: pathIn(tree, index) },
  }))
}

/** The same for all results under one signature. */
export const signatureOf = ({ certificate }: CertificatesRequest): string => {
  const { keyId, epoch, signers, leaves, r, s } = certificate
  return [keyId, epoch, signers, leaves, r, s].join()
}

/** What is known of the newest batches; a batch can go as one once all of its leaves are. */
export type KnownBatches = {
  /** @param item one that the contract judged */
  add(item: CertificatesRequest): void
  /** All results of the item's batch; null where some are not known, or where it stands alone. */
  batchOf(item: CertificatesRequest): BatchBody | null
}

/** Remembers the `size` newest batches, of at most `mostLeaves`. */
export function createKnownBatches(size: number, mostLeaves: number): KnownBatches {
  const batches = new Map<string, Map<number, ResultBody>>()
  return {
    add(item) {
      if (item.certificate.leaves > mostLeaves) return
      const key = signatureOf(item)
      const results = batches.get(key) ?? new Map<number, ResultBody>()
      results.set(item.certificate.index, item.result)
      batches.delete(key)
      batches.set(key, results)
      const [oldest] = batches.keys()
      if (batches.size > size && oldest !== undefined) batches.delete(oldest)
    },
    batchOf(item) {
      const { keyId, epoch, signers, leaves, r, s } = item.certificate
      const known = batches.get(signatureOf(item))
      if (leaves < 2 || known === undefined || known.size !== leaves) return null
      const results = [...known].sort(([a], [b]) => a - b).map(([, result]) => result)
      return { kind: "batch", results, certificate: { keyId, epoch, signers, r, s } }
    },
  }
}
