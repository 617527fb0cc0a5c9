/**
 * Arguments of `DecryptionVerifier.verify` and `DecryptionGateway.fulfil` (protocol §7). On chain a result is a list of
 * (handle, session, plaintext) without the chain id, which the verifier takes from its own chain. Public data only.
 */
import { ProtocolError } from "../protocol/errors.ts"
import type { Hex } from "../protocol/ids.ts"

export type AcceptanceErrorCode = "RESULT_SHAPE"

export type Opening = { readonly handle: Hex; readonly session: Hex; readonly plaintext: bigint }
export type ContractResult = {
  readonly gateway: Hex
  readonly requestId: Hex
  readonly openings: readonly Opening[]
}

/**
 * @param result.plaintexts hex, one 32-byte big-endian word per handle.
 * @throws RESULT_SHAPE where handles, sessions and words differ in number.
 */
export function contractResult(result: {
  readonly gateway: Hex
  readonly requestId: Hex
  readonly handles: readonly Hex[]
  readonly sessions: readonly Hex[]
  readonly plaintexts: Hex
}): ContractResult {
  const { gateway, requestId, handles, sessions, plaintexts } = result
  const openings = handles.flatMap((handle, i): Opening[] => {
    const session = sessions[i]
    const word = plaintexts.slice(2 + 64 * i, 66 + 64 * i)
    return session === undefined || word.length !== 64
      ? []
      : [{ handle, session, plaintext: BigInt(`0x${word}`) }]
  })
  if (
    openings.length !== handles.length ||
    openings.length !== sessions.length ||
    plaintexts.length !== 2 + 64 * openings.length
  )
    throw new ProtocolError({
      code: "RESULT_SHAPE",
      message: `want one session and one word per handle, got ${handles.length} handles, ${sessions.length} sessions, ${plaintexts.length / 2 - 1} bytes`,
    })
  return { gateway, requestId, openings }
}
