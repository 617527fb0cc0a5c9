/**
 * The seam to the TFHE WASM library: the few calls that proving needs, as an interface, and a loader that a caller may
 * replace. Nothing is loaded before the first proof.
 */
import { ProtocolError } from "../protocol/errors.ts"

export type LoadErrorCode = "TFHE_UNAVAILABLE"

type Freed = { free(): void }
export type TfhePublicKey = Freed
export type TfheCrs = Freed
export type TfheProvenList = Freed & { safe_serialize(limit: bigint): Uint8Array }

export type TfheListBuilder = Freed & {
  push_boolean(value: boolean): void
  push_u4(value: number): void
  push_u8(value: number): void
  push_u16(value: number): void
  push_u32(value: number): void
  push_u64(value: bigint): void
  push_u128(value: bigint): void
  push_u160(value: bigint): void
  push_u256(value: bigint): void
  build_with_proof_packed(crs: TfheCrs, metadata: Uint8Array, load: number): TfheProvenList
}

/** The part of node-tfhe and of tfhe (web) that the SDK uses; both fit. */
export type Tfhe = {
  readonly TfheCompactPublicKey: { safe_deserialize(bytes: Uint8Array, limit: bigint): TfhePublicKey }
  readonly CompactPkeCrs: { safe_deserialize(bytes: Uint8Array, limit: bigint): TfheCrs }
  readonly CompactCiphertextList: { builder(publicKey: TfhePublicKey): TfheListBuilder }
  readonly ZkComputeLoad: { readonly Proof: number }
}

export type TfheLoader = () => Promise<Tfhe>

/** A name that bundlers do not follow: browsers pass their own loader, see the README. */
const NODE_PACKAGE: string = "node-tfhe"

/** Loads node-tfhe in Node. @throws TFHE_UNAVAILABLE */
export const loadNodeTfhe: TfheLoader = async () => {
  try {
    const module = (await import(/* @vite-ignore */ /* webpackIgnore: true */ NODE_PACKAGE)) as {
      readonly default?: Tfhe
    } & Tfhe
    return module.default ?? module
  } catch (cause) {
    throw new ProtocolError(
      {
        code: "TFHE_UNAVAILABLE",
        message: "node-tfhe does not load here: pass a loader of the tfhe WASM build",
      },
      { cause },
    )
  }
}
