/** A member's own sealed store, opened as its node opens it, while the node does not run. */

import type { MemberCommands } from "@twinlock/devnet/network/base"
import type { Member } from "@twinlock/devnet/network/layout"
import type { MemberTools } from "@twinlock/devnet/network/members"
import { createGuestAgent } from "@twinlock/node/attestation/guestAgent"
import { runCli } from "@twinlock/node/cli/runCli"
import { readConfig } from "@twinlock/node/config"
import { loadIdentity, type NodeIdentity } from "@twinlock/node/identity"
import { openNodeStore, sealingProvider } from "@twinlock/node/main"
import type { Secret } from "@twinlock/node/secret"
import type { SealedStore } from "@twinlock/node/storage/sealedStore"
import { deriveSealingKey } from "@twinlock/node/storage/sealingKey"
import { createDevnetQuoteVerifier } from "@twinlock/sdk/attestation/devnetRoot"
import { fromHex } from "@twinlock/sdk/protocol/codec"
import type { Epoch, KeyId } from "@twinlock/sdk/protocol/ids"

export type OpenMember = {
  readonly identity: NodeIdentity
  readonly store: SealedStore
  epochKey(scope: { readonly keyId: KeyId; readonly epoch: Epoch }): Promise<Secret<Uint8Array>>
  close(): Promise<void>
}

export async function openMember({ paths }: MemberTools, member: Member): Promise<OpenMember> {
  const config = readConfig(paths.config(member), {})
  const provider = sealingProvider(config, createGuestAgent({ socketPath: paths.socket(member) }))
  const store = await openNodeStore(config, provider)
  const identity = await loadIdentity(store)
  const { peerIdHash } = identity.peer
  return {
    ...{ identity, store },
    epochKey: ({ keyId, epoch }) => deriveSealingKey(provider, { kind: "epoch", keyId, epoch, peerIdHash }),
    async close() {
      identity.signerKey.wipe()
      await store.close()
    },
  }
}

/** The commands of `twinlock-node` in this process: fifteen members would start thirty processes. */
export const commandsHere: MemberCommands = {
  async init(tools, member) {
    const { signer, peerId } = await run(tools, member, ["init"])
    const multiaddr = `/ip4/127.0.0.1/tcp/${tools.ports.p2p[member.name]}/p2p/${peerId}`
    return { signer: String(signer), peerId: String(peerId), multiaddr }
  },
  async register(tools, member) {
    const { sent } = await run(tools, member, [
      ...["register", "--operator-key-file", tools.paths.operatorKey(member)],
    ])
    return BigInt((sent as { readonly gasUsed: string }).gasUsed)
  },
}

async function run(
  { paths, rootKey }: MemberTools,
  member: Member,
  args: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const [printed, complaints]: [string[], string[]] = [[], []]
  const code = await runCli([...args, "--json", "--config", paths.config(member)], {
    platform: {
      agentSocket: paths.socket(member),
      verifierFor: (contractRootId, chainId) =>
        createDevnetQuoteVerifier({ contractRootId, chainId, rootKey: fromHex(rootKey) }),
    },
    services: () => [],
    environment: {},
    out: (text) => void printed.push(text),
    err: (text) => void complaints.push(text),
    terminated: async () => {},
  })
  if (code !== 0) throw new Error(`${member.name} ${args[0]}: ${complaints.join("; ")}`)
  return JSON.parse(printed.join("")) as Readonly<Record<string, unknown>>
}
