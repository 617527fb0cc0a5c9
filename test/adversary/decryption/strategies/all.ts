import type { Strategy } from "../arena.ts"
import { approving } from "./approving.ts"
import { endorsing } from "./endorsing.ts"
import { quoting } from "./quoting.ts"
import { sharing } from "./sharing.ts"
import { signing } from "./signing.ts"
import { timing } from "./timing.ts"
import { transport } from "./transport.ts"

export const STRATEGIES: readonly Strategy[] = [
  ...[sharing, approving, signing, endorsing, quoting, timing, transport].flat(),
]
