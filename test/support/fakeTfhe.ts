import type { Tfhe } from "../../sdk/src/fhe/load.ts"
import { concatBytes, utf8ToBytes } from "../../sdk/src/protocol/codec.ts"

/** A stand-in for the WASM library that writes down what it was told; its "list" is that text. Encrypts nothing. */
export function fakeTfhe(): { readonly tfhe: Tfhe; readonly open: () => number } {
  let open = 0
  const held = <T extends object>(object: T): T & { free(): void } => {
    open += 1
    const free = () => {
      open -= 1
    }
    return { ...object, free }
  }
  const parse = (what: string) => (bytes: Uint8Array) => {
    if (bytes.length === 0) throw new Error(`empty ${what}`)
    return held({})
  }
  const tfhe: Tfhe = {
    TfheCompactPublicKey: { safe_deserialize: parse("public key") },
    CompactPkeCrs: { safe_deserialize: parse("CRS") },
    CompactCiphertextList: {
      builder() {
        const pushed: string[] = []
        const push = (name: string) => (value: unknown) => void pushed.push(`${name}:${String(value)}`)
        return held({
          push_boolean: push("bool"),
          push_u4: push("u4"),
          push_u8: push("u8"),
          push_u16: push("u16"),
          push_u32: push("u32"),
          push_u64: push("u64"),
          push_u128: push("u128"),
          push_u160: push("u160"),
          push_u256: push("u256"),
          build_with_proof_packed: (_crs: unknown, metadata: Uint8Array, load: number) =>
            held({
              safe_serialize: () => concatBytes(utf8ToBytes(`load=${load} ${pushed.join(" ")} `), metadata),
            }),
        })
      },
    },
    ZkComputeLoad: { Proof: 0 },
  }
  return { tfhe, open: () => open }
}
