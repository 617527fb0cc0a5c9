import { tournament } from "./tournament.ts"

tournament({ n: 13, t: 4 })
