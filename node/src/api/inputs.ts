/** `POST /v1/inputs` of an executor: a proven list in, handles and the executor's attestation out. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { ExecutorInputsResponse, InputsRequest } from "@twinlock/sdk/protocol/http"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { z } from "zod"
import type { Route } from "./httpServer.ts"
import { hexBytes, hexOf, readBody } from "./jsonBody.ts"

export type InputsCall = { readonly list: Uint8Array; readonly contract: Address; readonly user: Address }

const MAX_LIST_BYTES = 65_536

const schema = z.strictObject({ list: hexBytes(MAX_LIST_BYTES), contract: hexOf(20), user: hexOf(20) })
/** The brands of the SDK's types are earned by the patterns above. */
const request = schema as unknown as z.ZodType<InputsRequest>

export const inputsRoute =
  (attest: (call: InputsCall) => Promise<ExecutorInputsResponse>): Route =>
  (app) => {
    app.post("/v1/inputs", async (context) => {
      const { list, contract, user } = await readBody(context, request)
      return context.json(await attest({ list: fromHex(list), contract, user }))
    })
  }
