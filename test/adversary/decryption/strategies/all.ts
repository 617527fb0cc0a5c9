import type { Strategy } from "../arena.ts"
import { approving } from "./approving.ts"
import { sharing } from "./sharing.ts"
import { signing } from "./signing.ts"
import { transport } from "./transport.ts"

export const STRATEGIES: readonly Strategy[] = [...sharing, ...approving, ...signing, ...transport]
