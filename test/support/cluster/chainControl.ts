/** Says when the local chain makes a block, so that the moment at which one becomes final is known. */
import type { JsonRpcProvider } from "ethers"

export type ChainControl = {
  /** From now on there are blocks only when {@link mine} is called. */
  takeOver(): Promise<void>
  /** Makes a block with all waiting transactions. @param timestamp in seconds; the wall clock's by default */
  mine(timestamp?: number): Promise<void>
  latest(): Promise<{ readonly number: number; readonly timestamp: number }>
}

/** Blocks by which anvil's finalised head is behind with one slot per epoch. */
export const FINALITY_BLOCKS = 2
/** Far above what a block of the load takes. */
const BLOCK_GAS = 2_000_000_000

export function createChainControl(provider: JsonRpcProvider): ChainControl {
  return {
    async takeOver() {
      await provider.send("evm_setAutomine", [false])
      await provider.send("evm_setIntervalMining", [0])
      await provider.send("evm_setBlockGasLimit", [`0x${BLOCK_GAS.toString(16)}`])
    },
    async mine(timestamp) {
      await provider.send("evm_mine", timestamp === undefined ? [] : [{ timestamp }])
    },
    async latest() {
      const { number, timestamp } = await provider.send("eth_getBlockByNumber", ["latest", false])
      return { number: Number(number), timestamp: Number(timestamp) }
    },
  }
}
