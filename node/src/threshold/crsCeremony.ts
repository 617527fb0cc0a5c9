/**
 * The CRS of the input proofs by sequential updates (protocol §4, docs/crs.md). Secret: every update's factor, which is
 * drawn, used and wiped inside the addon. Failures name nobody: only the caller knows whose message it verified.
 */
import type { PartyIndex } from "@twinlock/sdk/protocol/ids"
import { awaitNative, callNative } from "./native.ts"

export type CrsContext = {
  /** 32 bytes. */
  readonly ceremonyId: Uint8Array
  /** Counts up by one per update, from 1. */
  readonly round: number
  /** 1..n */
  readonly party: number
}

/** Message of an update by a fresh factor: 6 s on two cores. @param previous verified state, null for the generators */
export const crsUpdate = (previous: Uint8Array | null, context: CrsContext): Promise<Uint8Array> =>
  awaitNative((addon) => addon.crsUpdate(previous, context))

/** The next state. @throws CRS_*, the first rule that the message breaks */
export const crsVerify = (
  previous: Uint8Array | null,
  message: Uint8Array,
  context: CrsContext,
): Promise<Uint8Array> => awaitNative((addon) => addon.crsVerify(previous, message, context))

/**
 * The next state, of whose list nothing but the proof of knowledge was checked: 10 ms. Nobody may apply a factor to it before
 * {@link crsCheck}. @throws CRS_*, the first rule that the message breaks
 */
export const crsFollow = (
  previous: Uint8Array | null,
  message: Uint8Array,
  context: CrsContext,
): Promise<Uint8Array> => awaitNative((addon) => addon.crsFollow(previous, message, context))

/** Resolves where the list is one of powers: under a second on two cores. @throws CRS_*, the first rule that it breaks */
export const crsCheck = (state: Uint8Array): Promise<void> => awaitNative((addon) => addon.crsCheck(state))

/** magic ‖ ceremony ‖ round ‖ party ‖ previous digest ‖ proof of knowledge; the list comes after it. */
const MESSAGE_HEAD_BYTES = 232

/** The list in a message: of an accepted one, what {@link crsVerify} returned for it. */
export const crsState = (message: Uint8Array): Uint8Array => message.subarray(MESSAGE_HEAD_BYTES)

/** The CRS file of a state, whose list it checks. @param transcript 32 bytes that bind the ceremony @throws CRS_* */
export const crsAssemble = (state: Uint8Array, transcript: Uint8Array): Promise<Uint8Array> =>
  awaitNative((addon) => addon.crsAssemble(state, transcript))

/** What an auditor keeps of an accepted message: 304 bytes. @throws CRS_LENGTH, CRS_HEADER */
export const crsLink = (message: Uint8Array): Uint8Array => callNative((addon) => addon.crsLink(message))

/**
 * SHA-256 of the CRS file that a final state makes, where it is the product of factors that exactly these parties knew.
 * 0.7 s on two cores. @param links one per party, in the order of their updates @param transcript as when it was assembled
 * @throws CRS_*, the first rule that is broken
 */
export const crsAudit = (
  ceremonyId: Uint8Array,
  parties: readonly PartyIndex[],
  links: readonly Uint8Array[],
  state: Uint8Array,
  transcript: Uint8Array,
): Promise<Uint8Array> =>
  awaitNative((addon) => addon.crsAudit(ceremonyId, [...parties], [...links], state, transcript))
