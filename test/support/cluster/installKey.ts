/**
 * The one thing that is not as in a real network: the key comes from a dealer instead of a ceremony. What a ceremony leaves
 * behind is all there: the activation on chain with every member's signature and the group's, and in each node's sealed
 * store its shares as its vault puts them.
 */

import type { Deployment } from "@twinlock/contracts/deploy"
import { CHAIN_ID } from "@twinlock/devnet/network/anvil"
import type { Base } from "@twinlock/devnet/network/base"
import { contractAt, sent } from "@twinlock/devnet/network/contracts"
import type { Identity } from "@twinlock/devnet/network/state"
import { createShareVault } from "@twinlock/node/ceremony/shareVault"
import { Secret } from "@twinlock/node/secret"
import { tagHash, toHex } from "@twinlock/sdk/protocol/codec"
import { type Digest, type KeyId, parseEpoch, parseKeyId, parsePartyIndex } from "@twinlock/sdk/protocol/ids"
import { CURRENT_PARAMETERS } from "@twinlock/sdk/protocol/parameters"
import { systemRng } from "@twinlock/sdk/protocol/rng"
import { signDigest } from "@twinlock/sdk/protocol/signature"
import { type GroupSignature, groupKey, toEthereum } from "@twinlock/sdk/threshold/frost"
import { aggregate, createNonces, createSignatureShare } from "@twinlock/sdk/threshold/frostSign"
import type { DealtShares } from "../dealtShares.ts"
import { type FrostGroup, generateFrostGroup } from "../frostGroup.ts"
import { openMember } from "./memberStore.ts"

const EPOCH = parseEpoch(1)
const DEADLINE_SECONDS = 3600

export type KeyOptions = {
  readonly base: Base
  readonly contracts: Deployment
  readonly identities: Readonly<Record<string, Identity>>
  readonly dealt: DealtShares
}

export type InstalledKey = {
  readonly keyId: KeyId
  /** A signature by the first quorum, which the dealer can make as well. */
  sign(message: Digest): GroupSignature
}

/** Proposes the key, activates it, and gives every keyholder its shares. No node may run. */
export async function installKey(options: KeyOptions): Promise<InstalledKey> {
  const { base, contracts } = options
  const group = generateFrostGroup(options.dealt.n, options.dealt.t, "threshold benchmark")
  const { proposal, keyId } = await propose(options)
  const { groupX, groupV } = groupKey(group.publicKey)
  const activation = {
    publicKeyDigest: tagHash("bench/public-key"),
    serverKeyDigest: tagHash("bench/server-key"),
    crsDigest: tagHash("bench/crs"),
    transcriptDigest: tagHash("bench/transcript"),
    ...{ groupX, groupV },
  }
  const registry = contractAt("KeyRegistry", contracts.keyRegistry, base.accounts.governance)
  const digest = await registry.getFunction("activationDigest").staticCall(keyId, EPOCH, activation)
  const signatures = await Promise.all(
    base.layout.keyholders.map((_, i) => takeSeat(options, group, keyId, digest as Digest, i)),
  )
  const { r, s } = signedBy(group, digest as Digest)
  await sent(registry.getFunction("activate").send(keyId, activation, signatures, r, s))
  if (proposal.parties.length !== options.dealt.n) throw new Error("the committee has another size")
  return { keyId, sign: (message) => signedBy(group, message) }
}

async function propose({ base, contracts, identities, dealt }: KeyOptions) {
  const { layout, chain, accounts } = base
  const registry = contractAt("KeyRegistry", contracts.keyRegistry, accounts.governance)
  const block = await chain.provider.getBlock("latest")
  const signers = (members: typeof layout.keyholders) => members.map(({ name }) => identities[name]?.signer)
  const proposal = {
    n: dealt.n,
    t: dealt.t,
    k: layout.executorQuorum,
    parties: signers(layout.keyholders),
    executors: signers(layout.executors),
    parametersHash: CURRENT_PARAMETERS.hash,
    host: { chainId: CHAIN_ID, coprocessor: contracts.coprocessor, gateway: contracts.decryptionGateway },
    deadline: (block?.timestamp ?? 0) + DEADLINE_SECONDS,
  }
  const keyId: string = await registry.getFunction("propose").staticCall(proposal)
  await sent(registry.getFunction("propose").send(proposal))
  return { proposal, keyId: parseKeyId(keyId) }
}

/** Seals a member's shares into its store. @returns its signature under the activation */
async function takeSeat(
  { base, dealt }: KeyOptions,
  group: FrostGroup,
  keyId: KeyId,
  activation: Digest,
  position: number,
): Promise<string> {
  const keyholder = base.layout.keyholders[position]
  const party = parsePartyIndex(position + 1, dealt.n)
  const frostShare = group.keyShares.get(party)
  if (keyholder === undefined || frostShare === undefined) throw new Error(`there is no party ${party}`)
  const member = await openMember(base.tools, keyholder)
  const share = dealt.open(party)
  const frost = new Secret(frostShare.encode())
  try {
    const vault = createShareVault({
      store: member.store,
      rng: systemRng,
      sealingKey: (seat) => member.epochKey(seat),
    })
    await vault.commit({ keyId, epoch: EPOCH, party }, share, frost, group.publicKey)
    return toHex(member.identity.signerKey.use((key) => signDigest(activation, key)))
  } finally {
    frost.wipe()
    share.destroy()
    await member.close()
  }
}

/** A signature of the group, by its first quorum. */
function signedBy({ publicKey, keyShares }: FrostGroup, message: Digest): GroupSignature {
  const signers = [...keyShares].slice(0, publicKey.quorum).map(([party, keyShare]) => {
    const nonces = createNonces(keyShare, systemRng)
    return { party, keyShare, nonces, commitment: nonces.commitment }
  })
  const signing = {
    publicKey,
    list: signers.map(({ party, commitment }) => ({ party, commitment })),
    message,
  }
  const shares = signers.map(
    ({ party, keyShare, nonces }) => [party, createSignatureShare(signing, keyShare, nonces)] as const,
  )
  return toEthereum(aggregate(signing, new Map(shares)))
}
