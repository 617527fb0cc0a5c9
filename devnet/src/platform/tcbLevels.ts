/** TCB levels of the simulated platform: those of Intel's set 20 for a B0C06F platform, and the types of other ones. */
import type { TcbStatus } from "@twinlock/sdk/attestation/tcbStatus"

export type TcbLevelSpec = {
  /** 16 SVNs that the PCK certificate must reach. */
  readonly sgx: readonly number[]
  readonly pceSvn: number
  /** 16 SVNs that the quote's teeTcbSvn must reach. */
  readonly tdx: readonly number[]
  readonly status: TcbStatus
  readonly advisories?: readonly string[]
}

export type IsvLevelSpec = {
  readonly isvSvn: number
  readonly status: TcbStatus
  readonly advisories?: readonly string[]
  /** Unix seconds from which the level holds; the same for all by default. */
  readonly tcbDate?: number
}

/** Identity of a TDX module; hex without 0x, Intel's own module by default. */
export type ModuleSpec = {
  readonly mrSigner?: string
  readonly attributes?: string
  readonly attributesMask?: string
}

export type ModuleIdentitySpec = ModuleSpec & {
  readonly id: string
  readonly levels: readonly IsvLevelSpec[]
}

/** Sixteen component SVNs, zero where none is given. */
export const sixteen = (...svns: readonly number[]): readonly number[] =>
  Array.from({ length: 16 }, (_, index) => svns[index] ?? 0)

/** SVNs of Intel's set 20 for a B0C06F platform: one current level and two that are out of date. */
export const DEFAULT_LEVELS: readonly TcbLevelSpec[] = [
  { sgx: sixteen(4, 4, 2, 2, 4, 1, 0, 5), pceSvn: 11, tdx: sixteen(5, 0, 4), status: "UpToDate" },
  {
    sgx: sixteen(3, 3, 2, 2, 4, 1, 0, 5),
    pceSvn: 11,
    tdx: sixteen(5, 0, 3),
    status: "OutOfDate",
    advisories: ["INTEL-SA-01245", "INTEL-SA-01312"],
  },
  {
    sgx: sixteen(2, 2, 2, 2, 3, 1, 0, 3),
    pceSvn: 5,
    tdx: sixteen(3, 0, 2),
    status: "OutOfDate",
    advisories: ["INTEL-SA-00837", "INTEL-SA-01036", "INTEL-SA-01245", "INTEL-SA-01312"],
  },
]

export const DEFAULT_MODULES: readonly ModuleIdentitySpec[] = [
  {
    id: "TDX_03",
    levels: [
      { isvSvn: 5, status: "UpToDate" },
      { isvSvn: 3, status: "OutOfDate", advisories: ["INTEL-SA-01245"] },
    ],
  },
  {
    id: "TDX_01",
    levels: [
      { isvSvn: 11, status: "UpToDate" },
      { isvSvn: 6, status: "OutOfDate", advisories: ["INTEL-SA-01192", "INTEL-SA-01245"] },
      { isvSvn: 2, status: "OutOfDate", advisories: ["INTEL-SA-01036", "INTEL-SA-01192"] },
    ],
  },
]

export const DEFAULT_QE_LEVELS: readonly IsvLevelSpec[] = [{ isvSvn: 4, status: "UpToDate" }]
