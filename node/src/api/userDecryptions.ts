/** `POST /v1/user-decryptions` of a keyholder: a permit in, this node's sealed shares out (protocol §10). */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { UserDecryptionPermit } from "@twinlock/sdk/protocol/eip712"
import {
  type NodeUserDecryptionResponse,
  permitFromBody,
  type UserDecryptionRequest,
} from "@twinlock/sdk/protocol/http"
import type { Address, Handle, KeyId } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import type { Route } from "./httpServer.ts"
import { decimal, hexBytes, hexOf, readBody } from "./jsonBody.ts"

export type UserDecryptionCall = {
  readonly keyId: KeyId
  readonly permit: UserDecryptionPermit
  readonly signature: Uint8Array
  readonly transportKey: Uint8Array
  readonly handles: readonly { readonly handle: Handle; readonly contract: Address }[]
}

const MAX_CONTRACTS = 10
const MAX_HANDLES = 32

const schema = z.strictObject({
  keyId: hexOf(32),
  permit: z.strictObject({
    user: hexOf(20),
    transportKeyHash: hexOf(32),
    contracts: z.array(hexOf(20)).min(1).max(MAX_CONTRACTS),
    notBefore: decimal,
    notAfter: decimal,
    nonce: decimal,
    chainId: decimal,
    extra: hexBytes(1024),
  }),
  /** 65 bytes of a key holder, or whatever a contract account wants (ERC-1271). */
  signature: hexBytes(4096),
  transportKey: hexBytes(2048),
  handles: z
    .array(z.strictObject({ handle: hexOf(32), contract: hexOf(20) }))
    .min(1)
    .max(MAX_HANDLES),
})
/** The brands of the SDK's types are earned by the patterns above. */
const request = schema as unknown as z.ZodType<UserDecryptionRequest>

export const userDecryptionsRoute =
  (answer: (call: UserDecryptionCall) => Promise<NodeUserDecryptionResponse>): Route =>
  (app) => {
    app.post("/v1/user-decryptions", async (context) => {
      const { permit, signature, transportKey, ...rest } = await readBody(context, request)
      const call = {
        ...rest,
        permit: permitFromBody(permit),
        signature: fromHex(signature),
        transportKey: fromHex(transportKey),
      }
      return context.json(await answer(call))
    })
  }
