/** npm run clean:devnet: forgets the local network's state. */
import { rmSync } from "node:fs"
import { join } from "node:path"

const home = join(import.meta.dirname, "..", "..", ".devnet")
rmSync(home, { recursive: true, force: true })
process.stdout.write(`removed ${home}\n`)
