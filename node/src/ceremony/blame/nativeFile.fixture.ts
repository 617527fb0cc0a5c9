/** A blame file of the addon's first rounds at full size, in which one party sent another `prss-commit` than its root makes. */
import { fromHex } from "@twinlock/sdk/protocol/codec"
import { partyIndexes } from "@twinlock/sdk/protocol/committee"
import type { Digest } from "@twinlock/sdk/protocol/ids"
import { nativeEngine } from "../../threshold/nativeEngine.ts"
import { bytesDigest } from "../digest.ts"
import { roundDigest, type SignedHeader, sealedHashOf, signHeader } from "../header.ts"
import { signEcho } from "../messages.ts"
import { attemptOfParty, COMMITTEE, PROPOSAL, partyAt } from "../party.fixture.ts"
import type { Outgoing } from "../rounds.ts"
import type { RoundRecord } from "../state.ts"
import { encodeBlameFile } from "./blameFile.ts"
import { signReveal } from "./reveal.ts"

export const LIAR = 3

/** @param revealing parties whose roots are in the file */
export async function nativeBlameFile(revealing: readonly number[] = [1, 2, 3, 4]): Promise<Uint8Array> {
  const { n, t, keyId, epoch } = COMMITTEE
  const parties = partyIndexes(COMMITTEE).map((index) =>
    nativeEngine.replayParty(
      { ceremonyId: fromHex(keyId), attempt: 1, n, t, index },
      new Uint8Array(32).fill(index),
    ),
  )
  const records: RoundRecord[] = []
  let previous: Digest = attemptOfParty(1).proposalDigest

  async function headersOf(round: number, sent: readonly Outgoing[]): Promise<readonly SignedHeader[]> {
    return Promise.all(
      sent.map(({ broadcast, sealed }, at) =>
        signHeader(
          {
            ...{ keyId, attempt: 1, round, party: attemptOfParty(at + 1).self, previous },
            broadcastBytes: broadcast.length,
            broadcastHash: bytesDigest(broadcast),
            sealedHashes: parties.map((_, to) => sealedHashOf(sealed[to] ?? null)),
          },
          partyAt(at + 1).sign,
        ),
      ),
    )
  }

  async function finish(name: string, sent: readonly Outgoing[]): Promise<void> {
    const round = records.length
    const headers = await headersOf(round, sent)
    const echoes = parties.map((_, at) =>
      signEcho(attemptOfParty(at + 1), round, headers, partyAt(at + 1).sign),
    )
    const echoSignatures = (await Promise.all(echoes)).map(({ signature }) => signature)
    previous = roundDigest(keyId, 1, round, headers)
    records.push({ round, name, digest: previous, headers, echoSignatures, broadcasts: null })
  }

  await finish(
    "standing",
    parties.map((_, at) => ({ broadcast: Uint8Array.of(at), sealed: [] })),
  )
  const hellos = await Promise.all(parties.map((party) => party.produce(0)))
  await finish("hello", hellos)
  const commits: Outgoing[] = []
  for (const party of parties) {
    await party.consume(
      0,
      hellos.map(({ broadcast }) => broadcast),
      parties.map(() => null),
    )
    commits.push(await party.produce(1))
    party.destroy()
  }
  const sent = commits.map((honest, at) =>
    at === LIAR - 1 ? { ...honest, broadcast: new Uint8Array(honest.broadcast.length) } : honest,
  )
  const open = (await headersOf(records.length, sent)).map((header) => ({ header, broadcast: null }))
  const reveals = revealing.map((index) =>
    signReveal(
      { keyId, attempt: 1, party: attemptOfParty(index).self, root: new Uint8Array(32).fill(index) },
      partyAt(index).sign,
    ),
  )
  const failed = { keyId, epoch, attempt: 1, proposal: PROPOSAL, records, open }
  return encodeBlameFile({ failed, reveals: await Promise.all(reveals) })
}
