/**
 * Opening kernel of the addon (protocol §3): says after every arrival what the SDK's says, some hundred times faster.
 * Inputs are masked, public shares; it is synchronous, since an arrival costs microseconds.
 */
import { partiesOfBitmap } from "@twinlock/sdk/protocol/committee"
import type { OpeningKernel } from "@twinlock/sdk/threshold/openingKernel"
import { callNative } from "./native.ts"

export const nativeKernel: OpeningKernel = ({ n, t, blocks }) => {
  const opening = callNative((addon) => new addon.Opening(n, t, blocks))
  return {
    add(party, share) {
      const liars = callNative(() => opening.add(party, share))
      return liars === null ? null : partiesOfBitmap(BigInt(liars), n)
    },
    values: () => callNative(() => opening.values()),
  }
}
