/** Brings the platform's signed collateral on chain, as anybody could do with Intel's. */

import type { CollateralBundle } from "@twinlock/sdk/attestation/collateralBundle"
import { parsePemChain } from "@twinlock/sdk/attestation/pem"
import { fromHex, toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import type { Contract, ContractTransactionReceipt } from "ethers"

/** Gas of each ingested document. */
export type IngestGas = { readonly [document: string]: bigint }

const split = (signature: string) =>
  [BigInt(`0x${signature.slice(0, 64)}`), BigInt(`0x${signature.slice(64)}`)] as const

/** @param store a CollateralStore connected to any funded signer. */
export async function ingestCollateral(store: Contract, bundle: CollateralBundle): Promise<IngestGas> {
  const gas: Record<string, bigint> = {}
  const send = async (method: string, ...args: readonly unknown[]): Promise<void> => {
    const transaction = await store.getFunction(method).send(...args)
    const receipt: ContractTransactionReceipt | null = await transaction.wait()
    gas[method] = receipt?.gasUsed ?? 0n
  }
  const [authority] = parsePemChain(bundle.pck_crl_issuer_chain)
  const [signer] = parsePemChain(bundle.tcb_info_issuer_chain)
  if (authority === undefined || signer === undefined)
    throw new Error("the bundle lacks an issuer certificate")
  await send("storeRootCrl", fromHex(`0x${bundle.root_ca_crl}`))
  await send("storeIntermediateCa", authority)
  const caId = await store.getFunction("intermediateCaAt").staticCall(0)
  await send("storeCrl", caId, fromHex(`0x${bundle.pck_crl}`))
  await send("storeTcbSigner", signer)
  await send("storeTcbInfo", toHex(utf8ToBytes(bundle.tcb_info)), ...split(bundle.tcb_info_signature))
  await send(
    "storeQeIdentity",
    toHex(utf8ToBytes(bundle.qe_identity)),
    ...split(bundle.qe_identity_signature),
  )
  return gas
}
