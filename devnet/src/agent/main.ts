/**
 * The simulated TDX platform of a local network as one process: a guest-agent socket per confidential VM and one
 * collateral service. Takes the path of a JSON configuration, prints one JSON line when everything is served, and
 * stops on SIGTERM or SIGINT.
 *
 *   { "seed": "devnet", "pccs": { "host": "127.0.0.1", "port": 0 },
 *     "cvms": [{ "machine": "host1", "role": "keyholder", "socketPath": "/tmp/host1.sock" }] }
 */
import { readFileSync } from "node:fs"
import type { Role } from "@twinlock/sdk/attestation/role"
import { toHex } from "@twinlock/sdk/protocol/codec"
import { createPlatform } from "../platform/platform.ts"
import { signEvaluationNumbers } from "./evaluationNumbers.ts"
import { devnetCompose } from "./image.ts"
import { createKeyService } from "./keyService.ts"
import { startPccs } from "./pccs.ts"
import { type RunningAgent, startAgent } from "./server.ts"

type PlatformConfig = {
  readonly seed: string
  readonly pccs: { readonly host: string; readonly port: number }
  readonly cvms: readonly {
    readonly machine: string
    readonly role: Role
    readonly socketPath: string
    /** Another value gives another compose file. */
    readonly variant?: string
  }[]
}

const DAY = 86_400
const SET = 20

/** Start of yesterday: collateral is the same for every process of one day and never from the future. */
const issueTime = (milliseconds: number) => (Math.floor(milliseconds / 1000 / DAY) - 1) * DAY

const describeAgent = ({ cvm, socketPath }: RunningAgent) => ({
  machine: cvm.machine.name,
  socketPath,
  ppid: cvm.machine.ppid,
  appId: toHex(cvm.appId),
  ...cvm.entry,
})

async function main(configPath: string): Promise<void> {
  const config = JSON.parse(readFileSync(configPath, "utf8")) as PlatformConfig
  const keys = createKeyService(config.seed)
  const platform = createPlatform({ seed: config.seed, now: issueTime(Date.now()) })
  const pccs = await startPccs({
    ...config.pccs,
    // One set for all: it is the newest one and the standard.
    collateral: (set) =>
      typeof set === "number" && set !== SET
        ? null
        : platform.collateral({ issuedAt: issueTime(Date.now()), evaluationNumber: SET }),
    evaluationNumbers: () => {
      const issuedAt = issueTime(Date.now())
      return signEvaluationNumbers(platform, [{ number: SET, recoveryEvent: issuedAt - 400 * DAY }], issuedAt)
    },
  })
  const agents = await Promise.all(
    config.cvms.map(({ machine, role, socketPath, variant }) =>
      startAgent({
        ...{ platform, machine, role, keys, socketPath },
        compose: devnetCompose(role, { variant, keyProviderId: keys.rootKey }),
      }),
    ),
  )
  const stop = () => {
    void Promise.all([pccs.stop(), ...agents.map((agent) => agent.stop())]).then(() => process.exit(0))
  }
  process.once("SIGTERM", stop)
  process.once("SIGINT", stop)
  const ready = {
    pccsUrl: pccs.url,
    rootKey: toHex(platform.root.key.publicKey),
    providerKey: keys.rootKey,
    cvms: agents.map(describeAgent),
  }
  process.stdout.write(`${JSON.stringify(ready)}\n`)
}

const [configPath] = process.argv.slice(2)
if (configPath === undefined) throw new RangeError("usage: main.ts CONFIG.json")
await main(configPath)
