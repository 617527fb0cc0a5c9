/** Files that survive a loss of power: whole under their name, or not there. */
import { randomUUID } from "node:crypto"
import { open, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"

/** Durable once resolved. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`
  try {
    const file = await open(temporary, "wx")
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  // The name is the directory's, and is not on disk before the directory is.
  const directory = await open(dirname(path), "r")
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
