/**
 * Keeps the chain's copy of Intel's collateral fresh: standing ends with it, the chain learns of revocations by it, and
 * the contract takes it from anybody. Every node looks; what says nothing new each brings at another time, so that one
 * transaction is sent where one is enough.
 */
import type { CollateralTerms, VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import { toHex, utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { assertNever, isProtocolError } from "@twinlock/sdk/protocol/errors"
import type { Address } from "@twinlock/sdk/protocol/ids"
import { heldUntil, type Ingest, type IngestPace, ingestPlan } from "./attestation/ingestPlan.ts"
import type { BlockRef, ChainView } from "./chain/chainView.ts"
import { type CollateralView, collateralStoreInterface } from "./chain/collateralView.ts"
import type { Call, Transactor } from "./chain/transactor.ts"
import type { Scheduler } from "./clock.ts"
import type { Service } from "./nodeContext.ts"
import { every, repeat } from "./repeat.ts"
import type { Logger } from "./telemetry/logger.ts"
import type { Metrics } from "./telemetry/metrics.ts"

export type CollateralKeeperOptions = {
  readonly signer: Address
  readonly pollMs: number
}

export type CollateralKeeperDeps = {
  readonly chain: Pick<ChainView, "head">
  readonly view: CollateralView
  /** The own machine's collateral, newest that a service gives. */
  readonly collateral: (terms: CollateralTerms) => Promise<VerifiedCollateral>
  /** The registry's floors. */
  readonly floors: (at: BlockRef) => Promise<CollateralTerms["floors"]>
  readonly transactor: Pick<Transactor, "send">
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly metrics: Metrics | null
}

export type CollateralKeeper = Service & {
  /** One look. @returns the documents that were brought on chain. Errors of chain and services are thrown. */
  look(): Promise<readonly Ingest["kind"][]>
}

const HOUR = 3_600
const DAY = 24 * HOUR

/** With the half hour for which a source keeps a bundle: a revocation is seen within the hour of its publication. */
export const COLLATERAL_POLL_MS = 600_000

/** Longer lists do not fit one transaction. */
const MAX_SERIALS = 2_000
const SERIALS_PER_STEP = 1_500
/** What a store says that lacks the newest certificate of a document's signer. */
const SIGNER_REFUSALS = ["InvalidSignature", "Expired", "CertificateRevoked"] as const

/**
 * Documents that say nothing new, another for every signer: replaced 5 to 7 days before their end; lists when they are a
 * day to a day and a half newer, the rest when 3 to 5 days. What says something new is brought at once by whoever sees it.
 */
export function paceOf(signer: Address): IngestPace {
  const turn = Number(BigInt(signer) % 48n)
  return {
    lead: 5 * DAY + turn * HOUR,
    listAge: DAY + (turn * HOUR) / 4,
    documentAge: 3 * DAY + turn * HOUR,
  }
}

const split = (signature: string) => [`0x${signature.slice(0, 64)}`, `0x${signature.slice(64)}`] as const

/** The calls that bring a document on chain, in order. */
export function callsOf(document: Ingest, store: Address): readonly Call[] {
  const call = (method: string, ...args: readonly unknown[]): Call => ({
    to: store,
    abi: collateralStoreInterface,
    method,
    args,
  })
  switch (document.kind) {
    case "root_crl":
      return [call("storeRootCrl", document.der)]
    case "authority":
      return [call("storeIntermediateCa", document.der)]
    case "pck_crl": {
      const { caId, der, serials } = document
      if (serials <= MAX_SERIALS) return [call("storeCrl", caId, der)]
      const starts = Array.from(
        { length: Math.ceil(serials / SERIALS_PER_STEP) },
        (_, i) => i * SERIALS_PER_STEP,
      )
      const steps = starts.map((start) =>
        call("continueCrl", der, Math.min(SERIALS_PER_STEP, serials - start)),
      )
      return [call("proposeCrl", caId, der), ...steps]
    }
    case "tcb_info":
      return [call("storeTcbInfo", toHex(utf8ToBytes(document.text)), ...split(document.signature))]
    case "qe_identity":
      return [call("storeQeIdentity", toHex(utf8ToBytes(document.text)), ...split(document.signature))]
    default:
      return assertNever(document)
  }
}

const revertedWith = (error: unknown, name: string): boolean =>
  isProtocolError(error, "TRANSACTION_REVERTED") && error.detail.message.includes(name)

export function createCollateralKeeper(
  { signer, pollMs }: CollateralKeeperOptions,
  deps: CollateralKeeperDeps,
): CollateralKeeper {
  const { chain, view, transactor, scheduler, logger, metrics } = deps
  const left = metrics?.gauge({
    name: "chain_collateral_left",
    help: "Seconds until the first part of the chain's collateral for this machine runs out",
  })
  const ingests = metrics?.counter({
    name: "collateral_ingests_total",
    help: "Documents brought on chain",
    labels: ["document", "outcome"],
  })

  async function send(document: Ingest, store: Address): Promise<void> {
    for (const call of callsOf(document, store)) await transactor.send(call)
  }

  /**
   * A store that does not know the signing certificate yet refuses the signature; one that knows an older certificate of
   * the same key, its date or its revocation.
   */
  async function sendWithSigner(document: Ingest, store: Address): Promise<void> {
    try {
      return await send(document, store)
    } catch (error) {
      if (!("signer" in document) || !SIGNER_REFUSALS.some((name) => revertedWith(error, name))) throw error
      const { signer: der } = document
      await transactor.send({
        to: store,
        abi: collateralStoreInterface,
        method: "storeTcbSigner",
        args: [der],
      })
      await send(document, store)
    }
  }

  /** @returns whether this node was the one. */
  async function bring(document: Ingest, store: Address): Promise<boolean> {
    const { kind } = document
    try {
      await sendWithSigner(document, store)
      ingests?.add({ document: kind, outcome: "stored" })
      logger.info({ document: kind }, "collateral brought on chain")
      return true
    } catch (error) {
      const late = revertedWith(error, "NotNewer")
      ingests?.add({ document: kind, outcome: late ? "late" : "failed" })
      if (!late) logger.warn({ err: error, document: kind }, "collateral not brought on chain")
      return false
    }
  }

  async function look(): Promise<readonly Ingest["kind"][]> {
    const at = await chain.head()
    const time = Number(at.timestamp)
    const collateral = await deps.collateral({ time, floors: await deps.floors(at) })
    const held = await view.held(collateral, at)
    left?.set(Math.max(0, heldUntil(held) - time))
    const plan = ingestPlan(held, collateral, { time, ...paceOf(signer) })
    if (plan.length === 0) return []
    const store = await view.store(at)
    const brought: Ingest["kind"][] = []
    for (const document of plan) if (await bring(document, store)) brought.push(document.kind)
    return brought
  }

  const looks = repeat(scheduler, look, {
    pause: every(pollMs),
    onError: (error) => logger.warn({ err: error }, "the chain's collateral cannot be kept"),
  })

  return {
    look,
    async start() {
      looks.start()
    },
    async stop() {
      looks.stop()
    },
  }
}
