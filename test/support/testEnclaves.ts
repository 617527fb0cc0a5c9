/**
 * Enclaves that quote with a key of their machine, and what a contract holds against such a quote: that the seat's own
 * machine signed exactly this batch. Only the form of real quotes is missing.
 */
import type { Batch } from "@twinlock/node/decryption/signing/batch"
import type { Quotes } from "@twinlock/node/decryption/signing/quoting"
import { recoverSigner } from "@twinlock/node/threshold/signatures"
import type { QuoteEvidence } from "@twinlock/sdk/protocol/certificate"
import { concatBytes, fromHex, keccak, taggedHash, toHex } from "@twinlock/sdk/protocol/codec"
import { freshQuoteBinding } from "@twinlock/sdk/protocol/freshQuote"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { addressOfSecretKey, signDigest } from "@twinlock/sdk/protocol/signature"
import { EPOCH, KEY_ID, SIGNING } from "./scriptedChain.ts"
import { seededRng } from "./seededRng.ts"

/** The machine that is registered for a seat. */
export const machineOf = (party: number): string => `machine of seat ${party}`

const keyOf = (machine: string): Uint8Array => seededRng(machine)(32)

const addresses = new Map<string, Address>()
function addressOf(machine: string): Address {
  const address = addresses.get(machine) ?? addressOfSecretKey(keyOf(machine))
  addresses.set(machine, address)
  return address
}

/** @param machine any name: who knows it has the machine */
export const quoteOf = (machine: string, reportData: Uint8Array): QuoteEvidence => ({
  quote: reportData,
  auth: signDigest(keccak(reportData), keyOf(machine)),
  pckLeaf: fromHex(addressOf(machine)),
  caId: taggedHash("test ca"),
  configDocument: new Uint8Array(),
})

/** Report data of a party's quote over a batch. */
export const reportDataOf = (party: number, { root, leaves }: { root: Batch["root"]; leaves: number }) => {
  const { chainId, verifyingContract: verifier } = SIGNING
  const binding = freshQuoteBinding({ chainId, verifier, keyId: KEY_ID, epoch: EPOCH, party, root, leaves })
  return concatBytes(fromHex(binding), new Uint8Array(32))
}

export function isGenuine(
  party: number,
  batch: Parameters<typeof reportDataOf>[1],
  { quote, auth }: QuoteEvidence,
): boolean {
  if (toHex(quote) !== toHex(reportDataOf(party, batch))) return false
  try {
    return recoverSigner(keccak(quote), auth) === addressOf(machineOf(party))
  } catch {
    return false
  }
}

/** @param onRefused told whose quote did not hold */
export const enclaveOf = (self: number, onRefused: (party: number) => void = () => {}): Quotes => ({
  quoteOver: async (reportData) => quoteOf(machineOf(self), reportData),
  async holds({ batch: { root, leaves } }, party, evidence) {
    const holds = isGenuine(party, { root, leaves: leaves.length }, evidence)
    if (!holds) onRefused(party)
    return holds
  },
})
