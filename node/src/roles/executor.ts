/**
 * Services of an executor: judges new keys in ceremonies, then attests inputs, computes and commits. The evaluation key is
 * loaded by whoever needs it first, and once where it is served after its test.
 */
import { join } from "node:path"
import { signDigest } from "@twinlock/sdk/protocol/signature"
import { serveVerdicts } from "../ceremony/executorVerdict.ts"
import { patientSink, patientSource } from "../ceremony/patientBlobs.ts"
import { coprocessorEvents } from "../chain/coprocessorEvents.ts"
import { createCiphertextStore } from "../executor/ciphertextStore.ts"
import { executorRoutes } from "../executor/routes.ts"
import { createExecutorService } from "../executor/service.ts"
import type { NodeContext, NodeService } from "../nodeContext.ts"
import { createSelfTestEngine } from "../threshold/nativeEngine.ts"
import { loadServerKey } from "../threshold/serverKey.ts"
import { blobsOf } from "./blobs.ts"
import { createJudgedKeys } from "./judgedKeys.ts"
import { createKeyFiles } from "./keyFiles.ts"
import { createLoadedKeys } from "./loadedKeys.ts"

const POLL_MS = 250

export function executorServices(context: NodeContext): readonly NodeService[] {
  const { config, identity, chain, events, network, store, transactor, clock, scheduler } = context
  const { logger, metrics, health } = context
  const { contracts } = config
  const { source, sink } = blobsOf(context)
  const chainId = BigInt(config.chain.id)
  const domain = { chainId, coprocessor: contracts.coprocessor }
  // A ceremony's blobs: one answer that is lost would fail the key.
  const ceremonyBlobs = { source: patientSource(source, scheduler), sink: patientSink(sink, scheduler) }
  const files = createKeyFiles(join(config.dataDirectory, "keys"), ceremonyBlobs.source)
  const lifetime = new AbortController()
  const loaded = createLoadedKeys(loadServerKey)
  const judged = createJudgedKeys({ files, loaded, chain, logger })
  const sign = async (digest: Parameters<typeof signDigest>[0]) =>
    identity.signerKey.use((key) => signDigest(digest, key))

  const service = createExecutorService({
    self: identity.signer,
    signer: identity.signerKey,
    domain,
    signing: { chainId, verifyingContract: contracts.decryptionVerifier },
    commitments: contracts.ciphertextCommitments,
    startBlock: BigInt(config.chain.deployedAt),
    view: chain,
    events: (from, to, head) => coprocessorEvents(events, contracts.coprocessor, from, to, head),
    ciphertexts: (keyId) => createCiphertextStore(join(config.dataDirectory, "ciphertexts", keyId.slice(2))),
    async loadKey(keyId) {
      const key = await files.accepted(keyId)
      return key === null ? null : loaded.serve(key)
    },
    pollMs: POLL_MS,
    ...{ transactor, store, source, sink, clock, scheduler, logger, metrics },
  })
  health.add("key", () => ({
    ready: service.servedKey !== null,
    reason: service.servedKey === null ? "no active key yet" : `serving ${service.servedKey}`,
  }))

  return [
    {
      name: "executor",
      routes: [executorRoutes(service)],
      async start() {
        await judged.tidy()
        serveVerdicts({
          engines: [createSelfTestEngine(loaded.test)],
          host: { ...domain, gateway: contracts.decryptionGateway },
          onServerKey: ({ keyId }, file) => judged.passed(keyId, file),
          onRefusedKey: judged.failed,
          signal: lifetime.signal,
          ...{ network, scheduler, chain, files, sign, logger },
          ...ceremonyBlobs,
        })
        service.start()
        void judged.forgetDead()
      },
      async stop() {
        lifetime.abort()
        service.stop()
      },
    },
  ]
}
