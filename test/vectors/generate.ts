/** Writes all vectors anew: node test/vectors/generate.ts. A vector that changes needs a reason in its commit. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { SUBJECTS } from "./all.ts"
import { answered } from "./subject.ts"
import { formatVector } from "./vector.ts"

const ROOT = join(import.meta.dirname, "files")

rmSync(ROOT, { recursive: true, force: true })
let count = 0
for (const subject of SUBJECTS)
  for (const made of subject.cases()) {
    const vector = await answered(subject, made)
    const path = join(ROOT, vector.path)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, formatVector(vector))
    count += 1
  }
process.stdout.write(`${count} vectors written\n`)
