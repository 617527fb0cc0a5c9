/** Blocks that a key may open in its life (protocol §5): hiding is statistical per block, so the number is published. */

/** √Q·2^-39 at the narrowest mask: 2^32 blocks leave an advantage of 2^-23 at n = 15, 2^-31 at n = 4. */
export const DEFAULT_BUDGET: number = 2 ** 32
