/**
 * What single steps of a decryption cost a node, without network and chain. In CPU time of all threads, which is at least
 * the wall time of an idle machine and does not depend on what else runs.
 */

import { nativeCurve } from "@twinlock/node/threshold/nativeCurve"
import { nativeKernel } from "@twinlock/node/threshold/opening"
import { sha256Digest, tagHash } from "@twinlock/sdk/protocol/codec"
import { partyIndexes, quorum } from "@twinlock/sdk/protocol/committee"
import { blockCountOf, FHE_TYPES, wordFormatOf } from "@twinlock/sdk/protocol/fheType"
import { type PartyIndex, parseSessionId } from "@twinlock/sdk/protocol/ids"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import {
  aggregate,
  createNonces,
  createSignatureShare,
  type SigningNonces,
} from "@twinlock/sdk/threshold/frostSign"
import { add, encode, type RingElement, scalar } from "@twinlock/sdk/threshold/galoisRing"
import { createOpening } from "@twinlock/sdk/threshold/robustReconstruct"
import { share } from "@twinlock/sdk/threshold/shamir"
import { createCiphertexts } from "../../test/support/cluster/ciphertexts.ts"
import { dealtShares } from "../../test/support/dealtShares.ts"
import { generateFrostGroup } from "../../test/support/frostGroup.ts"
import { keystreamRng } from "../../test/support/keystreamRng.ts"
import { type Figure, figure, percentile } from "../figure.ts"

export type Size = { readonly n: number; readonly t: number }

const TYPE = FHE_TYPES.uint64
const type = "FheUint64"
/** Ciphertexts that a node decrypts together under load. */
const AT_ONCE = 16

const cpuMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000

function timed(run: () => void): number {
  const before = process.cpuUsage()
  run()
  return cpuMs(process.cpuUsage(before))
}

/** CPU time of a decryption share, all threads of the process together: inner products and masks, twice over. */
export async function shareFigure(size: Size, rounds: number): Promise<Figure> {
  const dealt = await dealtShares(size)
  const holder = dealt.open(1)
  const ciphertexts = createCiphertexts(dealt, TYPE)
  const work = Array.from({ length: AT_ONCE }, () => {
    const { digest } = ciphertexts.next()
    return {
      words: ciphertexts.words(digest) ?? new Uint8Array(),
      session: parseSessionId(sha256Digest(Buffer.from(digest, "hex"))),
      format: wordFormatOf(TYPE),
    }
  })
  const times: number[] = []
  for (let round = -1; round < rounds; round++) {
    const before = process.cpuUsage()
    await holder.decryptionShares(work)
    if (round >= 0) times.push(cpuMs(process.cpuUsage(before)) / AT_ONCE)
  }
  holder.destroy()
  return figure("share.cpu_ms", percentile(times, 50), "ms", { ...size, type, p: 50, together: AT_ONCE })
}

/** How t liars may lie; each gives a liar's value of one block. */
type Lie = (honest: RingElement, block: number, liar: number) => RingElement
const LIES: Readonly<Record<string, Lie>> = {
  random: (honest, block, liar) => add(honest, ringAt(`${block}/${liar}`)),
  "high bit": (honest) => add(honest, scalar(1n << 127n)),
  "low bit": (honest) => add(honest, scalar(1n)),
  "one block": (honest, block, liar) =>
    block === 8 * (liar - 1) + 7 ? add(honest, scalar(1n << 90n)) : honest,
  "same error": (honest, block) => add(honest, ringAt(`${block}`)),
  // Another set of liars, at another bit, in every block: nothing learnt in one helps in the next.
  "other set in each block": (honest, block, liar) =>
    ((block + 1) >> (liar - 1)) & 1 ? add(honest, scalar(1n << BigInt((17 * block) % 128))) : honest,
  "other bit of each liar": (honest, block, liar) =>
    add(honest, scalar(1n << BigInt((31 * liar + 7 * block) % 128))),
}

function ringAt(label: string): RingElement {
  const bytes = keystreamRng(label)(64)
  const view = new DataView(bytes.buffer)
  const word = (i: number) => view.getBigUint64(16 * i, true) | (view.getBigUint64(16 * i + 8, true) << 64n)
  return [word(0), word(1), word(2), word(3)]
}

type Shares = readonly (readonly RingElement[])[]

/** By party index − 1, then by block. */
function maskedShares({ n, t }: Size, label: string): Shares {
  const rng = keystreamRng(label)
  const blocks = Array.from({ length: blockCountOf(TYPE) }, (_, k) => {
    const message = (BigInt(k) % 16n) << 123n
    return share(scalar(message), n, t, rng)
  })
  return Array.from({ length: n }, (_, i) => blocks.map((block) => block[i]?.value ?? scalar(0n)))
}

const bytesOf = (values: readonly RingElement[]): Uint8Array =>
  new Uint8Array(Buffer.concat(values.map(encode)))

/** Time of all that an opening does with the shares of all parties, in this order of arrival. */
function openingMs({ n, t }: Size, shares: readonly Uint8Array[]): number {
  return timed(() => {
    const opening = createOpening({ n, t, blocks: blockCountOf(TYPE) }, nativeKernel)
    for (const party of partyIndexes({ n })) opening.add(party, shares[party - 1] ?? new Uint8Array())
    if (opening.state.status !== "opened") throw new Error("nothing was opened")
  })
}

/** All parties honest: until the value is known and every later share is checked as well. */
export function fastFigure(size: Size, rounds: number): Figure {
  const times = Array.from({ length: rounds + 3 }, (_, i) =>
    openingMs(size, maskedShares(size, `fast/${i}`).map(bytesOf)),
  )
  return figure("reconstruct.fast_ms", percentile(times.slice(3), 50), "ms", { ...size, type, p: 50 })
}

/** t liars whose shares come first, under the lie that costs most. */
export function worstFigure(size: Size, rounds: number): Figure {
  const medians = Object.entries(LIES).map(([name, lie]) => {
    const times = Array.from({ length: rounds + 1 }, (_, i) => {
      const lied = maskedShares(size, `worst/${i}`).map((values, j) =>
        j < size.t ? values.map((value, block) => lie(value, block, j + 1)) : values,
      )
      return openingMs(size, lied.map(bytesOf))
    })
    return { name, ms: percentile(times.slice(1), 50) }
  })
  const worst = medians.reduce((a, b) => (b.ms > a.ms ? b : a))
  return figure("reconstruct.worst_ms", worst.ms, "ms", {
    ...size,
    type,
    p: 50,
    liars: size.t,
    lie: worst.name,
  })
}

/** What all signers of one signature and its aggregator compute, one after the other; and what lies on its longest path. */
export function signFigures(size: Size, rounds: number): readonly Figure[] {
  const { publicKey, keyShares } = generateFrostGroup(size.n, size.t, "bench")
  const signers = partyIndexes(size).slice(0, quorum(size))
  const parts = Array.from({ length: rounds + 3 }, (_, i) => {
    const held = signers.flatMap((party) => {
      const keyShare = keyShares.get(party)
      return keyShare === undefined ? [] : [{ party, keyShare }]
    })
    const nonces = new Map<PartyIndex, SigningNonces>()
    const shares = new Map<PartyIndex, Uint8Array>()
    const preparing = timed(() => {
      for (const { party, keyShare } of held) nonces.set(party, createNonces(keyShare, systemRng))
    })
    const list = [...nonces].map(([party, { commitment }]) => ({ party, commitment }))
    const signing = { publicKey, list, message: tagHash(`bench/${i}`) }
    const answering = timed(() => {
      for (const { party, keyShare } of held) {
        const own = nonces.get(party)
        if (own !== undefined) shares.set(party, createSignatureShare(signing, keyShare, own, nativeCurve))
      }
    })
    const aggregating = timed(() => void aggregate(signing, shares, nativeCurve))
    // Nonces are made ahead; signers answer at the same time, each on its own machine.
    return { all: preparing + answering + aggregating, longest: answering / held.length + aggregating }
  }).slice(3)
  const at = (values: readonly number[], what: string) =>
    figure("frost.sign_ms", percentile(values, 50), "ms", {
      ...{ n: size.n, t: size.t, type: what, p: 50, signers: signers.length },
    })
  return [
    at(
      parts.map(({ all }) => all),
      "all parties in turn",
    ),
    at(
      parts.map(({ longest }) => longest),
      "longest path",
    ),
  ]
}

/** @param rounds of each step. */
export async function microFigures(sizes: readonly Size[], rounds: number): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const size of sizes) figures.push(await shareFigure(size, rounds))
  const largest = sizes.at(-1)
  if (largest === undefined) throw new RangeError("no committee to measure")
  return [
    ...figures,
    fastFigure(largest, rounds),
    worstFigure(largest, rounds),
    ...signFigures(largest, rounds),
  ]
}
