import { handleDomainOf, signingDomainOf } from "../../sdk/src/chain/deployments.ts"
import { createTwinlockClient, type TwinlockClient, type TwinlockOptions } from "../../sdk/src/client.ts"
import { proveInputs } from "../../sdk/src/fhe/ciphertext.ts"
import { type AcceptancePolicy, STANDING_POLICY } from "../../sdk/src/protocol/certificate.ts"
import { hashWords, sha256Digest, tagHash, utf8ToBytes } from "../../sdk/src/protocol/codec.ts"
import { type Commitment, commitmentLeaf } from "../../sdk/src/protocol/commitment.ts"
import { createCommittee } from "../../sdk/src/protocol/committee.ts"
import { blockCountOf, type FheType } from "../../sdk/src/protocol/fheType.ts"
import { formatHandle } from "../../sdk/src/protocol/handles.ts"
import { type Digest, type Handle, parseEpoch } from "../../sdk/src/protocol/ids.ts"
import { keyIdOf } from "../../sdk/src/protocol/keyId.ts"
import { CURRENT_PARAMETERS } from "../../sdk/src/protocol/parameters.ts"
import { sessionIdOf } from "../../sdk/src/protocol/session.ts"
import { addressOfSecretKey } from "../../sdk/src/protocol/signature.ts"
import { groupKey } from "../../sdk/src/threshold/frost.ts"
import {
  type FakeAnswers,
  type FakeChain,
  type FakeEvent,
  fakeDeployment,
  fakeEndpoint,
} from "./fakeChain.ts"
import { fakeTfhe } from "./fakeTfhe.ts"
import { generateFrostGroup } from "./frostGroup.ts"
import { seededRng } from "./seededRng.ts"

const keyOf = (byte: number) => new Uint8Array(32).fill(byte)
const FAR = 2_000_000

/** One network of four parties and two executors behind fake endpoints; tests replace single answers to break it. */
export const seatKeys: readonly Uint8Array[] = [1, 2, 3, 4].map(keyOf)
export const executorKeys: readonly Uint8Array[] = [11, 12].map(keyOf)
export const publicKeyFile: Uint8Array = utf8ToBytes("public key")
export const crsFile: Uint8Array = utf8ToBytes("crs")
const host = {
  chainId: 31337n,
  coprocessor: fakeDeployment.coprocessor,
  gateway: fakeDeployment.decryptionGateway,
}
export const keyId = keyIdOf({
  genesisHash: tagHash("main 0"),
  chainId: 31337n,
  keyRegistry: fakeDeployment.keyRegistry,
  ceremonyNonce: 4n,
  host,
})
export const epoch = parseEpoch(1)
export const committee = createCommittee({ keyId, epoch, t: 1, parties: seatKeys.map(addressOfSecretKey) })
export const group = generateFrostGroup(4, 1, "fake network")
export const signingDomain = signingDomainOf(fakeDeployment)

/** A committed ciphertext of this type; its label stands for the ciphertext. */
export function commitmentOf(label: string, fheType: FheType): Commitment {
  const handle = formatHandle({ hash: tagHash(label), index: 255, chainId: 31337n, fheType })
  return {
    handle,
    operationDigest: tagHash(label),
    inputsDigest: tagHash(`${label} inputs`),
    ciphertextDigest: tagHash(`${label} ciphertext`),
    squashedDigest: tagHash(`${label} squashed`),
    fheType,
    blockCount: blockCountOf(fheType),
  }
}

export const sessionOf = ({ blockCount, squashedDigest }: Commitment) =>
  sessionIdOf({ keyId, epoch, parametersHash: CURRENT_PARAMETERS.hash, blockCount, squashedDigest })

const leafOf = (commitment: Commitment): Digest => commitmentLeaf(handleDomainOf(fakeDeployment), commitment)

/** A request as the gateway stores it; pending and without policy unless said otherwise. */
export const requestRecord = ({
  status = 1,
  policy: { endorsements, freshQuotes, groupOnly } = STANDING_POLICY,
  handles = [],
}: {
  readonly status?: number
  readonly policy?: AcceptancePolicy
  readonly handles?: readonly Handle[]
}): readonly unknown[] => {
  const handlesHash = hashWords(handles)
  const requester = `0x${"e".repeat(40)}`
  return [requester, 0, status, "0x00000000", 0, 0, 0, endorsements, freshQuotes, groupOnly, handlesHash]
}

/** Healthy answers of all contracts, for these committed ciphertexts; every request asks for all of them. */
export function healthyAnswers(commitments: readonly Commitment[] = []): FakeAnswers {
  const { groupX, groupV } = groupKey(group.publicKey)
  const parametersHash = CURRENT_PARAMETERS.hash
  const digests = [parametersHash, sha256Digest(publicKeyFile), tagHash("server key"), sha256Digest(crsFile)]
  const key = [2, 1, 0, 4, [host.chainId, host.coprocessor, host.gateway], ...digests, tagHash("transcript")]
  const handles = commitments.map(({ handle }) => handle)
  const leafByHandle = new Map<string, Digest>(commitments.map((c) => [c.handle, leafOf(c)]))
  return {
    "keyRegistry.keyOfHost": () => [keyId],
    "keyRegistry.keyOf": () => [key],
    "keyRegistry.committeeOf": () => [[4, 1, committee.parties]],
    "keyRegistry.executorsOf": () => [executorKeys.map(addressOfSecretKey), 2],
    "nodeRegistry.liveUntil": () => [FAR],
    "decryptionVerifier.headerOf": () => [[groupX, groupV, 4, 3, host.gateway]],
    "decryptionVerifier.expiryOf": () => [FAR],
    "decryptionVerifier.seatsOf": () => [committee.parties],
    "decryptionGateway.requestOf": () => [requestRecord({ handles })],
    "ciphertextCommitments.finalOf": (handle) => [
      leafByHandle.get(handle ?? "") ?? `0x${"00".repeat(32)}`,
      false,
    ],
    "coprocessor.permitFloor": () => [7n, 0n],
  }
}

export const commitmentEvents = (commitments: readonly Commitment[]): readonly FakeEvent[] =>
  commitments.map((commitment) => ({
    contract: "ciphertextCommitments",
    name: "CommitmentVoted",
    values: [commitment.handle, leafOf(commitment), addressOfSecretKey(keyOf(11)), Object.values(commitment)],
  }))

/** What a coordinator answers: by method and path. A number is a status without a body. */
export type FakeRoutes = Readonly<Record<string, (body: unknown) => unknown>>

export const files: FakeRoutes = Object.fromEntries(
  [publicKeyFile, crsFile].map((file) => [`GET /v1/blobs/${sha256Digest(file).slice(2)}`, () => file]),
)

/** `fetch` over one coordinator's routes. */
export function fakeFetch(routes: FakeRoutes): typeof fetch {
  return async (input, init) => {
    const url = new URL(String(input))
    const route = routes[`${init?.method ?? "GET"} ${url.pathname}`]
    if (route === undefined)
      return Response.json({ error: { code: "NOT_FOUND", message: "no route" } }, { status: 404 })
    const sent: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : null
    const answer = await route(sent)
    if (typeof answer === "number") return new Response(null, { status: answer })
    return answer instanceof Uint8Array ? new Response(Uint8Array.from(answer)) : Response.json(answer)
  }
}

/** A client of that network with the fake TFHE library; nothing waits. */
export function fakeClient(
  chain: Partial<FakeChain>,
  routes: FakeRoutes,
  options: Partial<TwinlockOptions> = {},
): TwinlockClient {
  const endpoint = () => fakeEndpoint({ answers: healthyAnswers(), ...chain })
  return createTwinlockClient({
    deployment: fakeDeployment,
    endpoints: [endpoint(), endpoint()],
    coordinators: ["http://coordinator.test"],
    fetch: fakeFetch(routes),
    prove: async (job) => proveInputs(fakeTfhe().tfhe, job),
    rng: seededRng("client"),
    clock: () => 1_000_000n,
    wait: async () => {},
    ...options,
  })
}
