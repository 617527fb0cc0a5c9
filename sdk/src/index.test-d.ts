/** Types of the public surface, checked by the type checker alone: nothing here runs. */
import type { JsonRpcProvider, Wallet } from "ethers"
import type { Mock } from "vitest"
import { expectTypeOf } from "vitest"
import {
  type Address,
  type ClearValue,
  createTwinlockClient,
  type DecryptedValue,
  type Deployment,
  type Encrypted,
  type Endpoint,
  encrypt,
  type Handle,
  type KeyId,
  type PermitSigner,
  type ProofJob,
  type PublicDecryption,
  parseAddress,
  parseHandle,
  publicDecrypt,
  type SdkErrorDetail,
  type SignedPermit,
  signPermit,
  type TwinlockClient,
  type UserDecryption,
  userDecrypt,
} from "./index.ts"

declare const client: TwinlockClient
declare const contract: Address
declare const user: Address
declare const handle: Handle
declare const keyId: KeyId
declare const permit: SignedPermit

// An ethers provider is an endpoint, an ethers wallet signs permits.
expectTypeOf<JsonRpcProvider>().toExtend<Endpoint>()
expectTypeOf<Wallet>().toExtend<PermitSigner>()

// Identifiers are parsed, never interchanged.
expectTypeOf(parseAddress("0x")).toEqualTypeOf<Address>()
expectTypeOf(parseHandle("0x")).toEqualTypeOf<Handle>()
expectTypeOf(keyId).not.toExtend<Handle>()
expectTypeOf<`0x${string}`>().not.toExtend<Address>()

// A bool is a boolean, everything else an integer.
expectTypeOf<{ type: "bool"; value: boolean }>().toExtend<ClearValue>()
expectTypeOf<{ type: "uint8"; value: number }>().toExtend<ClearValue>()
expectTypeOf<{ type: "bool"; value: bigint }>().not.toExtend<ClearValue>()
expectTypeOf<{ type: "uint8"; value: boolean }>().not.toExtend<ClearValue>()
expectTypeOf<Extract<DecryptedValue, { type: "bool" }>["value"]>().toEqualTypeOf<boolean>()
expectTypeOf<Exclude<DecryptedValue, { type: "bool" }>["value"]>().toEqualTypeOf<bigint>()

expectTypeOf(
  encrypt(client, { contract, user, values: [{ type: "uint8", value: 1 }] }),
).resolves.toEqualTypeOf<Encrypted>()
expectTypeOf(publicDecrypt).parameter(1).toHaveProperty("requestId")
expectTypeOf(publicDecrypt).returns.resolves.toEqualTypeOf<PublicDecryption>()
expectTypeOf(signPermit).returns.resolves.toEqualTypeOf<SignedPermit>()
expectTypeOf(
  userDecrypt(client, { permit, handles: [{ handle, contract }] }),
).resolves.toEqualTypeOf<UserDecryption>()
expectTypeOf<SdkErrorDetail["docsPath"]>().toEqualTypeOf<string>()

// A prover may live in a worker: it takes plain data.
declare const prove: Mock<(job: ProofJob) => Promise<Uint8Array>>
declare const deployment: Deployment
declare const endpoint: Endpoint
expectTypeOf(
  createTwinlockClient({ deployment, endpoints: [endpoint, endpoint], coordinators: [], prove }),
).toEqualTypeOf<TwinlockClient>()

// @ts-expect-error a contract's address is not a string
encrypt(client, { contract: "0x", user, values: [] })
// @ts-expect-error a request needs its id
publicDecrypt(client, {})
