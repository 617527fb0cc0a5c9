/** Checks of the HTTP bodies of sdk/src/protocol/http.ts: strict shapes with hard maxima. */
import type {
  ExecutorInputsResponse,
  InputsRequest,
  NodeUserDecryptionResponse,
  SubmissionBody,
  UserDecryptionRequest,
} from "@twinlock/sdk/protocol/http"
import type { RequestId } from "@twinlock/sdk/protocol/ids"
import { depthOf } from "@twinlock/sdk/threshold/merkle"
import { z } from "zod"

export const MAX_HANDLES = 32
/** Results of one batch, as the verifier takes them. */
export const MAX_BATCH = 64
const MAX_PATH = 20
const MAX_PARTIES = 15

const hex = (maxBytes: number) =>
  z
    .string()
    .max(2 + 2 * maxBytes)
    .regex(/^0x([0-9a-f]{2})*$/, "want lower-case 0x hex")
const exactHex = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`), `want ${bytes} bytes of lower-case 0x hex`)
const address = exactHex(20)
const bytes32 = exactHex(32)
const decimal = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,77})$/, "want a decimal string")
  .refine((text) => BigInt(text) >> 256n === 0n, "want less than 2^256")
const uint32 = z.number().int().min(0).max(0xffff_ffff)
const handles = z.array(bytes32).min(1).max(MAX_HANDLES)
const signature = exactHex(65)

/** The brands of the SDK's types are earned by the patterns above. */
const branded = <T>(schema: z.ZodType): z.ZodType<T> => schema as z.ZodType<T>

export const inputsRequest = branded<InputsRequest>(
  z.strictObject({ list: hex(65_536), contract: address, user: address }),
)
export const executorInputsResponse = branded<ExecutorInputsResponse>(
  z.strictObject({ handles, signer: address, signature }),
)

const permit = z.strictObject({
  user: address,
  transportKeyHash: bytes32,
  contracts: z.array(address).min(1).max(10),
  notBefore: decimal,
  notAfter: decimal,
  nonce: decimal,
  chainId: decimal,
  extra: hex(1024),
})

export const userDecryptionRequest = branded<UserDecryptionRequest>(
  z.strictObject({
    keyId: bytes32,
    permit,
    /** 65 bytes of a key holder, or whatever a contract account wants (ERC-1271). */
    signature: hex(4096),
    transportKey: hex(2048),
    handles: z
      .array(z.strictObject({ handle: bytes32, contract: address }))
      .min(1)
      .max(MAX_HANDLES),
  }),
)

const sealedShare = z.strictObject({ handle: bytes32, sessionId: bytes32, sealed: hex(16_384), signature })

export const nodeUserDecryptionResponse = branded<NodeUserDecryptionResponse>(
  z.strictObject({
    keyId: bytes32,
    epoch: uint32,
    party: z.number().int().min(1).max(15),
    sealedShares: z.array(sealedShare).min(1).max(MAX_HANDLES),
  }),
)

const result = z
  .strictObject({
    chainId: decimal,
    gateway: address,
    requestId: bytes32,
    handles,
    sessions: handles,
    plaintexts: hex(32 * MAX_HANDLES),
  })
  .refine(
    ({ handles: asked, sessions, plaintexts }) =>
      sessions.length === asked.length && plaintexts.length === 2 + 64 * asked.length,
    "want one session and one word of 32 bytes for each handle",
  )
const place = {
  leaves: z
    .number()
    .int()
    .min(1)
    .max(2 ** MAX_PATH),
  index: uint32,
  path: z.array(bytes32).max(MAX_PATH),
}
const isPlace = ({ leaves, index, path }: z.infer<z.ZodObject<typeof place>>) =>
  index < leaves && path.length === depthOf(leaves)
const NO_PLACE = "want an index below leaves and a path of the tree's depth"
const signed = { keyId: bytes32, epoch: uint32, signers: decimal }
const groupSignature = { r: address, s: decimal }
const compactSignatures = z.array(exactHex(64)).max(MAX_PARTIES)
const certificate = z.strictObject({ ...signed, ...place, ...groupSignature }).refine(isPlace, NO_PLACE)

const group = z.strictObject({ kind: z.literal("group"), result, certificate })
const endorsed = z.strictObject({
  kind: z.literal("endorsed"),
  result,
  certificate: z
    .strictObject({ ...signed, ...place, signatures: compactSignatures })
    .refine(isPlace, NO_PLACE),
})
const policy = z.strictObject({
  kind: z.literal("policy"),
  result,
  certificate,
  evidence: z.strictObject({
    endorsers: decimal,
    signatures: compactSignatures,
    quotes: z
      .array(
        z.strictObject({
          party: z.number().int().min(1).max(MAX_PARTIES),
          evidence: z.strictObject({
            quote: hex(1024),
            auth: hex(4096),
            pckLeaf: hex(4096),
            caId: bytes32,
            configDocument: hex(4096),
          }),
        }),
      )
      .max(MAX_PARTIES),
  }),
})
const batch = z.strictObject({
  kind: z.literal("batch"),
  results: z.array(result).min(1).max(MAX_BATCH),
  certificate: z.strictObject({ ...signed, ...groupSignature }),
})

export const submissionBody = branded<SubmissionBody>(
  z.discriminatedUnion("kind", [group, endorsed, policy, batch]),
)

/** A file of the outbox: a submission and the requests that it is kept for. */
export type OutboxFile = { readonly submission: SubmissionBody; readonly waiting: readonly RequestId[] }
export const outboxFile = branded<OutboxFile>(
  z.strictObject({ submission: submissionBody, waiting: z.array(bytes32).min(1).max(MAX_BATCH) }),
)
