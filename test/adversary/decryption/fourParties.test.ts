import { tournament } from "./tournament.ts"

tournament({ n: 4, t: 1 })
