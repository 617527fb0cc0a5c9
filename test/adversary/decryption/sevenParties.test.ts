import { tournament } from "./tournament.ts"

tournament({ n: 7, t: 2 })
