/** Three ciphertexts of a tally on a scripted chain; what is asked of them is the test's. */
import { addCiphertext, createScriptedChain } from "./scriptedChain.ts"

export function tallyScene() {
  const chain = createScriptedChain()
  const ciphertexts = [
    addCiphertext(chain, "yes", 1234n),
    addCiphertext(chain, "no", 65_535n),
    addCiphertext(chain, "abstain", 0n),
  ]
  return { chain, ciphertexts, handles: ciphertexts.map(({ handle }) => handle) }
}
