/** After a ceremony of the toy engine that failed: the key is discarded, the parties reveal their roots, anybody replays. */
import { type PartyIndex, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import type { KeyRecord } from "../../chain/chainView.ts"
import { Secret } from "../../secret.ts"
import { recoverSigner } from "../../threshold/signatures.ts"
import { COMMITTEE, PARTIES, partyAt, type Tamper } from "../party.fixture.ts"
import { createShareVault, type ShareVault } from "../shareVault.ts"
import { TOY_ROUNDS, toyEngine, toyLayout, unsealToyRoot } from "../toyEngine.fixture.ts"
import { createWorld, SEALING_KEY, type World } from "../world.fixture.ts"
import { type BlameFile, decodeBlameFile, encodeBlameFile, openBlameFile } from "./blameFile.ts"
import { FinalDiscard } from "./finalDiscard.ts"
import { type Blame, replay } from "./replay.ts"
import { type Reveal, signReveal } from "./reveal.ts"
import { createRootVault, type RootVault } from "./rootVault.ts"

const CHUNKS = 6

export const sealingKey = async () => new Secret(SEALING_KEY.slice())

/** What a new process of that party finds in its store. */
export function vaultsOf(
  world: World,
  index: number,
): { readonly vault: ShareVault; readonly roots: RootVault } {
  const store = world.stores[index - 1]
  if (store === undefined) throw new Error(`no store of party ${index}`)
  const vault = createShareVault({ store, rng: systemRng, sealingKey })
  return { vault, roots: createRootVault({ store, vault, sealingKey, unsealRoot: unsealToyRoot }) }
}

/** The chain discards the key for good. */
export const discard = (world: World): void => {
  world.chain.record = { ...world.chain.record, status: "discarded", activation: null }
}

/** As a party reads it from a chain that shows `record`. @throws where that is not discarded */
export async function discardOf(record: KeyRecord, { chain }: World): Promise<FinalDiscard> {
  const proof = await FinalDiscard.read(record.keyId, {
    head: async () => chain.head,
    key: async () => record,
  })
  if (proof === null) throw new Error("the key is not discarded")
  return proof
}

export async function revealOf(world: World, index: number): Promise<Reveal> {
  const proof = await discardOf(world.chain.record, world)
  const { address, sign } = partyAt(index)
  const root = await vaultsOf(world, index).roots.reveal(proof, address)
  return signReveal({ keyId: proof.keyId, attempt: 1, party: partyIndex(index), root }, sign)
}

const partyIndex = (index: number): PartyIndex => parsePartyIndex(index, COMMITTEE.n)

/** The file that party `index` keeps once `others` have revealed. */
export async function fileOf(
  world: World,
  index: number,
  others: readonly number[] = PARTIES.map((_, at) => at + 1),
): Promise<BlameFile> {
  const failed = await vaultsOf(world, index).roots.attempt(world.chain.record.keyId)
  if (failed === null) throw new Error(`party ${index} keeps nothing of its attempt`)
  return { failed, reveals: await Promise.all(others.map((other) => revealOf(world, other))) }
}

/** From the bytes of the file, as everybody has it. */
export async function judge(file: BlameFile): Promise<Blame> {
  const evidence = openBlameFile(decodeBlameFile(encodeBlameFile(file)), TOY_ROUNDS, recoverSigner)
  return replay(evidence, toyEngine(toyLayout(CHUNKS)))
}

/** A ceremony in which party 2 lies in the row check, and all abort. */
export async function failedCeremony(tamper: Tamper = (...[, , , payload]) => [payload]): Promise<World> {
  const world = createWorld({
    tamper,
    chunks: CHUNKS,
    prepare: (index, options) => ({
      ...options,
      rounds: options.rounds.map((round) =>
        index === 2 && round.spec.name === "row-points"
          ? {
              ...round,
              async produce(previous) {
                const { broadcast, sealed } = await round.produce(previous)
                return { sealed, broadcast: broadcast.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) }
              },
            }
          : round,
      ),
    }),
  })
  const ends = await world.run()
  if (ends.some(({ status }) => status !== "aborted")) throw new Error("the lie was not found")
  return world
}
