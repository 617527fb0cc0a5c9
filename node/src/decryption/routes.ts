/** POST /v1/user-decryptions of a keyholder: body in, sealed shares out, refusals by their code. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { isProtocolError } from "@twinlock/sdk/protocol/errors"
import {
  type NodeUserDecryptionResponse,
  permitFromBody,
  type UserDecryptionRequest,
} from "@twinlock/sdk/protocol/http"
import { parseAddress, parseHandle } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import type { UserRequest } from "./authoriseUser.ts"
import { remedyOf } from "./errors.ts"
import type { UserDecryption } from "./userDecryption.ts"

const text = (max: number) => z.string().max(max)
const schema = z.strictObject({
  keyId: text(66),
  permit: z.strictObject({
    user: text(42),
    transportKeyHash: text(66),
    contracts: z.array(text(42)).max(10),
    notBefore: text(78),
    notAfter: text(78),
    nonce: text(78),
    chainId: text(78),
    extra: text(2050),
  }),
  signature: text(8194),
  transportKey: text(4098),
  handles: z.array(z.strictObject({ handle: text(66), contract: text(42) })).max(32),
})

type RefusalStatus = 400 | 403 | 429 | 503

export type UserDecryptionAnswer =
  | { readonly status: 200; readonly body: NodeUserDecryptionResponse }
  | {
      readonly status: RefusalStatus
      readonly body: { readonly error: { readonly code: string; readonly message: string } }
    }

/** 503 where the same request may succeed later, 403 where somebody decided against it. */
function statusOf(code: string): RefusalStatus {
  if (code === "PERMIT_MALFORMED") return 400
  if (code === "QUOTA_EXCEEDED") return 429
  return remedyOf(code) === "never" ? 403 : 503
}

function requestOf(body: UserDecryptionRequest): UserRequest {
  return {
    permit: permitFromBody(body.permit),
    signature: fromHex(body.signature),
    transportKey: fromHex(body.transportKey),
    handles: body.handles.map(({ handle, contract }) => ({
      handle: parseHandle(handle),
      contract: parseAddress(contract),
    })),
  }
}

const refused = (status: RefusalStatus, code: string, message: string): UserDecryptionAnswer => ({
  status,
  body: { error: { code, message } },
})

/** @param keyId of the service; a request for another key is refused. */
export async function answerUserDecryption(
  json: unknown,
  keyId: string,
  service: UserDecryption,
): Promise<UserDecryptionAnswer> {
  const parsed = schema.safeParse(json)
  if (!parsed.success)
    return refused(
      400,
      "MALFORMED_BODY",
      parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    )
  if (parsed.data.keyId !== keyId) return refused(403, "WRONG_KEY", `this node serves key ${keyId}`)
  let request: UserRequest
  try {
    request = requestOf(parsed.data as unknown as UserDecryptionRequest)
  } catch (error) {
    if (!isProtocolError(error)) throw error
    return refused(400, error.detail.code, error.detail.message)
  }
  try {
    return { status: 200, body: await service.answer(request) }
  } catch (error) {
    if (!isProtocolError(error)) throw error
    const { code, message } = error.detail
    return refused(statusOf(code), code, message)
  }
}
