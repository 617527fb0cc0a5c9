/**
 * Accounts of the people around the local network, from the well-known test mnemonic: worth nothing anywhere else.
 * Enclave keys are not here: nodes make their own.
 */
import { HDNodeWallet, type JsonRpcProvider, Mnemonic, NonceManager } from "ethers"

const PHRASE = "test test test test test test test test test test test junk"
/** Accounts that the chain funds. */
export const FUNDED_ACCOUNTS = 40

const INDEX = {
  deployer: 0,
  governance: 1,
  guardian: 2,
  treasury: 3,
  organiser: 4,
  submitter: 5,
  funder: 6,
  operators: 10,
  voters: 25,
} as const

export type Account = { readonly address: string; readonly privateKey: string; readonly signer: NonceManager }

export type Accounts = {
  readonly deployer: Account
  readonly governance: Account
  readonly guardian: Account
  readonly treasury: Account
  /** Runs the vote. */
  readonly organiser: Account
  /** Pays for what the coordinator submits. */
  readonly submitter: Account
  /** Gives enclave signers the ether for their transactions. */
  readonly funder: Account
  operator(index: number): Account
  voter(index: number): Account
}

export function createAccounts(provider: JsonRpcProvider): Accounts {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(PHRASE), "m/44'/60'/0'/0")
  const made = new Map<number, Account>()
  const at = (index: number): Account => {
    const known = made.get(index)
    if (known !== undefined) return known
    const wallet = root.deriveChild(index).connect(provider)
    const account = {
      address: wallet.address.toLowerCase(),
      privateKey: wallet.privateKey,
      signer: new NonceManager(wallet),
    }
    made.set(index, account)
    return account
  }
  return {
    deployer: at(INDEX.deployer),
    governance: at(INDEX.governance),
    guardian: at(INDEX.guardian),
    treasury: at(INDEX.treasury),
    organiser: at(INDEX.organiser),
    submitter: at(INDEX.submitter),
    funder: at(INDEX.funder),
    operator: (index) => at(INDEX.operators + index),
    voter: (index) => at(INDEX.voters + index),
  }
}
