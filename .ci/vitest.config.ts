import { dirname, join } from "node:path"
import { defineConfig } from "vitest/config"

const root = join(dirname(import.meta.filename), "..")
const shared = { root, testTimeout: 60_000, hookTimeout: 60_000 }
const sources = ["sdk/src", "node/src", "coordinator/src", "devnet/src", "contracts", "test", ".ci", "bench"]
const slow = ["**/*.slow.test.ts", "test/e2e/**/*.test.ts"]
const full = ["**/*.full.test.ts"]
const never = ["**/node_modules/**", "**/target/**", "contracts/out/**"]

/**
 * `unit` runs files side by side; `slow` holds what needs both cores for itself (real keys, real processes); `full` what takes
 * too long for every run (`npm run test:full`).
 */
export default defineConfig({
  root,
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: sources.map((folder) => `${folder}/**/*.test.ts`),
          exclude: [...slow, ...full, ...never],
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...shared,
          name: "slow",
          include: slow,
          exclude: never,
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      { test: { ...shared, name: "full", include: full, exclude: never, maxWorkers: 2 } },
    ],
  },
})
