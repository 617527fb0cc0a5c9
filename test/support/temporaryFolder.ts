/** A folder that goes away with the test that asked for it. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"

/** Call it inside a test. @param prefix names the folder, for whoever finds it after a crash. */
export async function temporaryFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `${prefix}-`))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
