/** What the contracts hold of Intel's collateral for one kind of machine, read at an agreed block. */
import { caIdOf } from "@twinlock/sdk/attestation/evidence"
import type { VerifiedCollateral } from "@twinlock/sdk/attestation/verifiedCollateral"
import { collateralStoreAbi } from "@twinlock/sdk/chain/abi"
import { utf8ToBytes } from "@twinlock/sdk/protocol/codec"
import { type Address, type Hex, parseAddress } from "@twinlock/sdk/protocol/ids"
import { Interface } from "ethers"
import type { HeldCollateral, HeldDocument, HeldSet } from "../attestation/ingestPlan.ts"
import type { BlockRef } from "./chainView.ts"
import type { ContractReader } from "./contractReader.ts"
import { attestationPartsInterface } from "./contracts.ts"

export const collateralStoreInterface: Interface = new Interface(collateralStoreAbi)

const PARSED = "(bytes6 fmspc, uint16 evaluation, uint256 issuedAt, uint256 expiresAt, bytes data)"
const parserInterface = new Interface([
  `function parseTcbInfo(bytes json) view returns (${PARSED})`,
  `function parseQeIdentity(bytes json) view returns (${PARSED})`,
])

export type CollateralView = {
  /** Address of the store behind the registry. */
  store(at: BlockRef): Promise<Address>
  /** What the store holds of each part of `offered`, and whether the part that is offered says something else. */
  held(offered: VerifiedCollateral, at: BlockRef): Promise<HeldCollateral>
}

/** The store keeps a handful of sets per kind; more than this is not read. */
const MAX_SETS = 8
/** Serials asked for at the same time. */
const BATCH = 32
/** The parser reads the longest document with less. */
const PARSER_GAS = 10_000_000

/** A document of a kind that the store keeps by evaluation number. */
type OfferedSet = {
  readonly getter: "tcbInfo" | "qeIdentity"
  readonly args: readonly unknown[]
  readonly text: string
  readonly evaluation: number
  readonly issuedAt: number
}

const SHORT_AT = 96n

/** At most 12 bytes lie in the place of the data contract's address, under their length + 1. See DataContract.sol. */
function shortContent(data: bigint): string | null {
  if (data >> (SHORT_AT + 8n) !== 0n) return null
  const length = Number(data >> SHORT_AT) - 1
  const content = data & ((1n << SHORT_AT) - 1n)
  return `0x${length > 0 ? content.toString(16).padStart(2 * length, "0") : ""}`
}

export function createCollateralView(reader: ContractReader, nodeRegistry: Address): CollateralView {
  const addressOf = (to: Address, abi: Interface, method: string, at: BlockRef): Promise<Address> =>
    reader.call({ to, abi, method, args: [] }, at, ([value]) => parseAddress(String(value).toLowerCase()))

  const store = async (at: BlockRef): Promise<Address> => {
    const verifier = await addressOf(nodeRegistry, attestationPartsInterface, "quoteVerifier", at)
    return addressOf(verifier, attestationPartsInterface, "collateral", at)
  }

  /** Whether the store does not refuse all that the list revokes. What Intel took off a list again can wait. */
  async function lacksOne(
    to: Address,
    ca: number,
    revoked: ReadonlySet<Hex>,
    at: BlockRef,
  ): Promise<boolean> {
    const serials = [...revoked]
    for (let start = 0; start < serials.length; start += BATCH) {
      const known = await Promise.all(
        serials.slice(start, start + BATCH).map((serial) => {
          const call = { to, abi: collateralStoreInterface, method: "isRevoked", args: [ca, serial] }
          return reader.call(call, at, ([listed]) => listed === true)
        }),
      )
      if (known.includes(false)) return true
    }
    return false
  }

  /** @param data address of a data contract, whose code begins with a STOP byte. */
  async function contentOf(data: bigint, at: BlockRef): Promise<string> {
    const short = shortContent(data)
    if (short !== null) return short
    const code = await reader.code(parseAddress(`0x${data.toString(16).padStart(40, "0")}`), at)
    return `0x${code.slice(4)}`
  }

  /** Whether the chain's own parser reads other content out of a document than the store keeps. */
  async function saysOther(to: Address, { getter, text }: OfferedSet, data: bigint, at: BlockRef) {
    const parser = await addressOf(to, collateralStoreInterface, "parser", at)
    const method = getter === "tcbInfo" ? "parseTcbInfo" : "parseQeIdentity"
    const call = parserInterface.encodeFunctionData(method, [utf8ToBytes(text)])
    const answer = await reader.rawCall(parser, call, PARSER_GAS, at)
    // A shape that the parser does not know is no less news; the attempt to bring it will say so.
    if (answer === null) return true
    const [parsed] = parserInterface.decodeFunctionResult(method, answer)
    return parsed.data !== (await contentOf(data, at))
  }

  async function setsOf(to: Address, offered: OfferedSet, at: BlockRef): Promise<readonly HeldSet[]> {
    const sets: HeldSet[] = []
    for (let rank = 0; rank < MAX_SETS; rank++) {
      const args = [...offered.args, rank]
      const call = { to, abi: collateralStoreInterface, method: offered.getter, args }
      const set = await reader.call(call, at, ([held]) => ({
        data: BigInt(held.data),
        issuedAt: Number(held.issuedAt),
        expiresAt: Number(held.expiresAt),
        evaluation: Number(held.evaluation),
      }))
      const { data, ...dates } = set
      if (data === 0n) break
      const isNewer = set.evaluation === offered.evaluation && offered.issuedAt > set.issuedAt
      sets.push({ ...dates, differs: isNewer && (await saysOther(to, offered, data, at)) })
    }
    return sets
  }

  async function listsOf(to: Address, { authority, rootCrl, pckCrl }: VerifiedCollateral, at: BlockRef) {
    const abi = collateralStoreInterface
    const caId = caIdOf(authority.publicKey)
    const root = await reader.call({ to, abi, method: "rootCrl", args: [] }, at, ([from, until]) => ({
      issuedAt: Number(from),
      expiresAt: Number(until),
    }))
    const ca = await reader.call({ to, abi, method: "intermediateCa", args: [caId] }, at, ([held]) =>
      BigInt(held.x) === 0n
        ? null
        : {
            number: Number(held.number),
            issuedAt: Number(held.crlIssuedAt),
            expiresAt: Number(held.expiresAt),
          },
    )
    // Before the CA is known nothing can be asked, and everything is brought anyway.
    const differs = async (held: Omit<HeldDocument, "differs">, offered: typeof rootCrl) =>
      ca !== null &&
      offered.thisUpdate > held.issuedAt &&
      (await lacksOne(to, ca.number, offered.revoked, at))
    return {
      rootCrl: { ...root, differs: await differs(root, rootCrl) },
      authority:
        ca === null
          ? null
          : {
              caId,
              issuedAt: ca.issuedAt,
              expiresAt: ca.expiresAt,
              differs: await differs(ca, pckCrl),
            },
    }
  }

  return {
    store,
    async held(offered, at) {
      const to = await store(at)
      const { tcbInfo, qeIdentity, bundle } = offered
      const [lists, tcbSets, qeIdentities] = await Promise.all([
        listsOf(to, offered, at),
        setsOf(
          to,
          {
            getter: "tcbInfo",
            args: [tcbInfo.fmspc],
            text: bundle.tcb_info,
            evaluation: tcbInfo.evaluationNumber,
            issuedAt: tcbInfo.issuedAt,
          },
          at,
        ),
        setsOf(
          to,
          {
            getter: "qeIdentity",
            args: [],
            text: bundle.qe_identity,
            evaluation: qeIdentity.evaluationNumber,
            issuedAt: qeIdentity.issuedAt,
          },
          at,
        ),
      ])
      return { ...lists, tcbSets, qeIdentities }
    },
  }
}
