/** Public surface of the SDK for dApps. Nodes and coordinators import the modules behind it by their paths. */

export type { FileCache } from "./actions/coordinator.ts"
export {
  type Encrypted,
  type EncryptedInput,
  type EncryptParams,
  encrypt,
} from "./actions/encrypt.ts"
export { type PublicDecryption, type PublicDecryptParams, publicDecrypt } from "./actions/publicDecrypt.ts"
export {
  type PermitSigner,
  type SignedPermit,
  type SignPermitParams,
  signPermit,
} from "./actions/signPermit.ts"
export { type UserDecryption, type UserDecryptParams, userDecrypt } from "./actions/userDecrypt.ts"
export {
  type DecryptedHandle,
  type VerifyCertificateParams,
  verifyCertificate,
} from "./actions/verifyCertificate.ts"
export {
  type NetworkCheck,
  type NetworkCheckName,
  type NetworkReport,
  type Standing,
  type VerifyNetworkParams,
  verifyNetwork,
} from "./actions/verifyNetwork.ts"
export type { QuoteSource } from "./actions/verifyQuotes.ts"
export {
  type Deployment,
  type DeploymentJson,
  deploymentToJson,
  parseDeployment,
} from "./chain/deployments.ts"
export type { ChainBlock, Endpoint } from "./chain/endpoints.ts"
export { createTwinlockClient, type TwinlockClient, type TwinlockOptions } from "./client.ts"
export { SDK_ERROR_CODES, type SdkErrorCode, type SdkErrorDetail } from "./errors.ts"
export { type ProofJob, proveInputs } from "./fhe/ciphertext.ts"
export type { ClearValue, DecryptedValue } from "./fhe/clearValue.ts"
export { loadNodeTfhe, type Tfhe, type TfheLoader } from "./fhe/load.ts"
export type {
  AcceptancePolicy,
  AcceptanceRule,
  Certificate,
  Certified,
  EndorsedCertificate,
  FreshQuote,
  PolicyEvidence,
} from "./protocol/certificate.ts"
export type { DecryptionResult, UserDecryptionPermit } from "./protocol/eip712.ts"
export { culprits, type ErrorDetail, isProtocolError, ProtocolError } from "./protocol/errors.ts"
export type { FheType, FheTypeName } from "./protocol/fheType.ts"
export {
  type Address,
  type Digest,
  type Epoch,
  type Handle,
  type Hex,
  type KeyId,
  type PartyIndex,
  parseAddress,
  parseDigest,
  parseHandle,
  parseKeyId,
  parseRequestId,
  type RequestId,
} from "./protocol/ids.ts"
export { TransportKey } from "./threshold/sealedShare.ts"
