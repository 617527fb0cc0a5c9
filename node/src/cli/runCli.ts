/** Runs one command of `twinlock-node`. The platform under it comes from the caller: production has exactly one. */
import { assertNever, isProtocolError } from "@twinlock/sdk/protocol/errors"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { createGuestAgent } from "../attestation/guestAgent.ts"
import { createQuoter } from "../attestation/quoter.ts"
import { configHash, type Environment, type NodeConfig, readConfig } from "../config.ts"
import { initIdentity, loadIdentity, publicIdentity } from "../identity.ts"
import { createNode, openChain, openNodeStore, sealingProvider } from "../main.ts"
import type { NodePlatform, ServiceFactory } from "../nodeContext.ts"
import { createLogger, silentLogger } from "../telemetry/logger.ts"
import { type Arguments, parseArguments } from "./arguments.ts"
import { type AttestStatusReport, attestStatus, describeAttestStatus } from "./attestStatus.ts"
import { register } from "./register.ts"
import { status } from "./status.ts"
import { describeResult } from "./text.ts"

export type CliDeps = {
  readonly platform: NodePlatform
  readonly services: ServiceFactory
  /** The process's own where absent. */
  readonly environment?: Environment
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Resolves when the process is told to end. */
  readonly terminated: () => Promise<void>
}

/** @param argv without the program's name. @returns the exit code: 0, 1 for a refusal, 2 for wrong usage. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  try {
    const parsed = parseArguments(argv)
    const config = readConfig(parsed.config, deps.environment)
    const result = await runCommand(parsed, config, deps)
    if (result !== null) deps.out(parsed.json ? JSON.stringify(result) : describe(result))
    return 0
  } catch (error) {
    if (!isProtocolError(error)) throw error
    deps.err(error.detail.code === "USAGE" ? error.detail.message : error.message)
    return error.detail.code === "USAGE" ? 2 : 1
  }
}

type Result = Readonly<Record<string, unknown>> | AttestStatusReport

const describe = (result: Result): string =>
  "outlookFailure" in result ? describeAttestStatus(result as AttestStatusReport) : describeResult(result)

function runCommand(parsed: Arguments, config: NodeConfig, deps: CliDeps): Promise<Result | null> {
  switch (parsed.command) {
    case "init":
      return runInit(config, deps)
    case "register":
      return runRegister(config, parsed.operatorKeyFile, deps)
    case "run":
      return runNode(config, deps)
    case "status":
      return runStatus(config)
    case "attest status":
      return attestStatus(config, { fetch })
    default:
      return assertNever(parsed.command)
  }
}

async function runInit(config: NodeConfig, { platform }: CliDeps): Promise<Result> {
  const agent = createGuestAgent({ socketPath: platform.agentSocket })
  const store = await openNodeStore(config, sealingProvider(config, agent))
  try {
    const identity = await initIdentity(store, systemRng)
    identity.signerKey.wipe()
    const { name, role, operator } = config
    return { name, role, operator, ...publicIdentity(identity), configHash: configHash(config) }
  } finally {
    await store.close()
  }
}

async function runRegister(
  config: NodeConfig,
  keyFile: string | undefined,
  { platform }: CliDeps,
): Promise<Result> {
  const agent = createGuestAgent({ socketPath: platform.agentSocket })
  const { chain, transactorFor } = await openChain(config, silentLogger, null)
  const store = await openNodeStore(config, sealingProvider(config, agent))
  try {
    const identity = await loadIdentity(store)
    const registered = await register(config, identity, keyFile, {
      chain,
      quoter: createQuoter(agent),
      transactorFor,
    })
    identity.signerKey.wipe()
    return registered
  } finally {
    await store.close()
  }
}

async function runNode(config: NodeConfig, { platform, services, terminated }: CliDeps): Promise<null> {
  const logger = createLogger({ level: config.logLevel, base: { name: config.name } })
  const node = await createNode(config, { platform, services, logger })
  try {
    await node.start()
    await terminated()
  } finally {
    await node.stop()
  }
  return null
}

async function runStatus(config: NodeConfig): Promise<Result> {
  const { chain } = await openChain(config, silentLogger, null)
  return status(config, { chain, fetch })
}
