/** Checklist line 8: from SVNs to a status. */
import type { CollateralKnobs } from "@twinlock/devnet/platform/collateral"
import { sixteen, type TcbLevelSpec } from "@twinlock/devnet/platform/tcbLevels"
import { TCB_STATUSES, type TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"
import { toHex } from "@twinlock/sdk/protocol/codec"
import type { Hex } from "@twinlock/sdk/protocol/ids"
import { accepted, type Case, refused } from "./case.ts"
import { type Scene, simulated } from "./scene.ts"

const svns = (values: readonly number[]): Hex => toHex(Uint8Array.from(values))
const withComponent = (index: number, value: number) =>
  sixteen().map((svn, at) => (at === index ? value : svn))

/** Levels that demand nothing but the given. */
const level = (demands: Partial<TcbLevelSpec>): TcbLevelSpec => ({
  sgx: sixteen(),
  pceSvn: 0,
  tdx: sixteen(),
  status: "UpToDate",
  ...demands,
})

const BELOW = refused("TCB_LEVEL", "PlatformBelowEveryLevel")
const ALL_HIGH = new Array<number>(16).fill(255)
const index = Array.from({ length: 16 }, (_, at) => at)

/** Each of the sixteen components of both kinds, at its level and one below it. */
const components: readonly Case[] = index.flatMap((at) => {
  const sgx: CollateralKnobs = { levels: [level({ sgx: withComponent(at, 200) })] }
  const tdx: CollateralKnobs = { levels: [level({ tdx: withComponent(at, 200) })] }
  // Module version 0 in component 1: the module has no identity of its own, so that all sixteen count.
  const tdxAt = (value: number): Scene => ({
    machine: { teeTcbSvn: svns(withComponent(at, value)) },
    collateral: tdx,
  })
  const sgxAt = (value: number): Scene => ({
    machine: { cpuSvn: svns(withComponent(at, value)) },
    collateral: sgx,
  })
  return [
    simulated("8 platform", `SGX component ${at + 1} at its level`, sgxAt(200), accepted()),
    simulated("8 platform", `SGX component ${at + 1} one below`, sgxAt(199), BELOW),
    ...(at === 1
      ? []
      : [
          simulated("8 platform", `TDX component ${at + 1} at its level`, tdxAt(200), accepted()),
          simulated("8 platform", `TDX component ${at + 1} one below`, tdxAt(199), BELOW),
        ]),
  ]
})

const platforms: readonly Case[] = [
  simulated(
    "8 platform",
    "above the level in everything",
    {
      machine: {
        cpuSvn: svns(ALL_HIGH),
        teeTcbSvn: svns([11, 1, ...ALL_HIGH.slice(2)]),
        pceSvn: 0xffff,
      },
    },
    accepted(),
  ),
  simulated(
    "8 platform",
    "the PCE SVN at its level",
    { collateral: { levels: [level({ pceSvn: 11 })] } },
    accepted(),
  ),
  simulated(
    "8 platform",
    "the PCE SVN one below",
    { collateral: { levels: [level({ pceSvn: 12 })] } },
    BELOW,
  ),
  simulated(
    "8 platform",
    "the PCE SVN one below a level of two bytes",
    { machine: { pceSvn: 0x01ff }, collateral: { levels: [level({ pceSvn: 0x0200 })] } },
    BELOW,
  ),
  simulated(
    "8 platform",
    "the second of Intel's levels",
    { machine: { cpuSvn: "0x03030202040100050000000000000000" } },
    accepted("OutOfDate"),
  ),
  simulated(
    "8 platform",
    "below every level",
    { machine: { cpuSvn: "0x01010202040100050000000000000000" } },
    BELOW,
  ),
  simulated(
    "8 platform",
    "the first level in Intel's order counts",
    { collateral: { levels: [level({ status: "OutOfDate" }), level({})] } },
    accepted("OutOfDate"),
  ),
  simulated(
    "8 platform",
    "a level is reached as a whole or not at all",
    {
      machine: { cpuSvn: svns(sixteen(9, 0)), teeTcbSvn: "0x0b010400000000000000000000000000" },
      collateral: {
        levels: [level({ sgx: sixteen(1, 1) }), level({ sgx: sixteen(9), status: "SWHardeningNeeded" })],
      },
    },
    accepted("SWHardeningNeeded"),
  ),
  simulated(
    "8 platform",
    "32 levels, the last reached",
    {
      collateral: {
        levels: [...Array.from({ length: 31 }, () => level({ pceSvn: 500 })), level({ status: "OutOfDate" })],
      },
    },
    accepted("OutOfDate"),
  ),
  // Intel: the module's own identity judges the first two components where its major version is not 0.
  simulated(
    "8 platform",
    "TDX component 1 below, judged by the module",
    { collateral: { levels: [level({ tdx: sixteen(200) })] } },
    accepted(),
  ),
  simulated(
    "8 platform",
    "TDX component 2 below, judged by the module",
    { collateral: { levels: [level({ tdx: sixteen(0, 200) })] } },
    accepted(),
  ),
  simulated(
    "8 platform",
    "TDX component 3 below, not judged by the module",
    { collateral: { levels: [level({ tdx: sixteen(0, 0, 200) })] } },
    BELOW,
  ),
  simulated(
    "8 platform",
    "TDX component 2 below, with a module of version 0",
    {
      machine: { teeTcbSvn: svns(sixteen(200, 0)) },
      collateral: { levels: [level({ tdx: sixteen(0, 1) })] },
    },
    BELOW,
  ),
]

const moduleSvn = (isvSvn: number, version: number): Scene => ({
  machine: { teeTcbSvn: svns(sixteen(isvSvn, version, 4)) },
})

const modules: readonly Case[] = [
  simulated("8 module", "module 1 at its level", moduleSvn(11, 1), accepted()),
  simulated("8 module", "module 3 at its level", moduleSvn(5, 3), accepted()),
  simulated("8 module", "module 1 at the highest SVN", moduleSvn(255, 1), accepted()),
  simulated("8 module", "module 0, which has no levels", moduleSvn(5, 0), accepted()),
  simulated("8 module", "module 1 one below its level", moduleSvn(10, 1), accepted("OutOfDate")),
  simulated("8 module", "module 1 at its last level", moduleSvn(2, 1), accepted("OutOfDate")),
  simulated(
    "8 module",
    "module 1 below every level",
    moduleSvn(1, 1),
    refused("MODULE_TCB_LEVEL", "UnknownTdxModule"),
  ),
  simulated(
    "8 module",
    "module 2, which Intel does not know",
    moduleSvn(255, 2),
    refused("MODULE_UNKNOWN", "UnknownTdxModule"),
  ),
  simulated(
    "8 module",
    "module 255, which Intel does not know",
    moduleSvn(255, 255),
    refused("MODULE_UNKNOWN", "UnknownTdxModule"),
  ),
  simulated(
    "8 module",
    "eight module identities",
    {
      collateral: {
        modules: [2, 3, 4, 5, 6, 7, 8, 1].map((version) => ({
          id: `TDX_0${version}`,
          levels: [{ isvSvn: 1, status: "UpToDate" }],
        })),
      },
    },
    accepted(),
  ),
]

type Parts = { readonly platform: TcbStatus; readonly module: TcbStatus; readonly enclave: TcbStatus }

/** What Intel's library converges to, spelled out as a table: rows and columns in the order of TCB_STATUSES. */
const MERGED: readonly (readonly TcbStatus[])[] = (() => {
  const [good, soft, config, both, old, oldConfig, revoked] = TCB_STATUSES
  return [
    [good, soft, config, both, old, oldConfig, revoked],
    [soft, soft, both, both, old, oldConfig, revoked],
    [config, both, config, both, oldConfig, oldConfig, revoked],
    [both, both, both, both, oldConfig, oldConfig, revoked],
    [old, old, oldConfig, oldConfig, old, oldConfig, revoked],
    [oldConfig, oldConfig, oldConfig, oldConfig, oldConfig, oldConfig, revoked],
    [revoked, revoked, revoked, revoked, revoked, revoked, revoked],
  ]
})()

function merged(one: TcbStatus, other: TcbStatus): TcbStatus {
  const found = MERGED[TCB_STATUSES.indexOf(one)]?.[TCB_STATUSES.indexOf(other)]
  if (!found) throw new Error(`no merged status of ${one} and ${other}`)
  return found
}

const merge = ({ platform, module, enclave }: Parts): Case =>
  simulated(
    "8 merge",
    `platform ${platform}, module ${module}, enclave ${enclave}`,
    {
      collateral: {
        levels: [level({ status: platform })],
        modules: [{ id: "TDX_01", levels: [{ isvSvn: 1, status: module }] }],
        qeLevels: [{ isvSvn: 4, status: enclave }],
      },
    },
    accepted(merged(merged(platform, module), enclave)),
  )

const merges: readonly Case[] = [
  ...TCB_STATUSES.flatMap((platform) =>
    TCB_STATUSES.map((enclave) => merge({ platform, module: "UpToDate", enclave })),
  ),
  ...TCB_STATUSES.slice(1).map((module) => merge({ platform: "UpToDate", module, enclave: "UpToDate" })),
  merge({ platform: "SWHardeningNeeded", module: "OutOfDate", enclave: "ConfigurationNeeded" }),
  merge({ platform: "ConfigurationNeeded", module: "SWHardeningNeeded", enclave: "UpToDate" }),
  merge({ platform: "UpToDate", module: "Revoked", enclave: "OutOfDate" }),
]

export const levelCases: readonly Case[] = [...platforms, ...components, ...modules, ...merges]
