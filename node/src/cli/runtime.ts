/** How whoever starts a node starts the Node.js runtime. Its load is native and on the wire, not in the JavaScript heap. */

/**
 * A small young generation saves 24 MB. An old one that starts at 96 MB is not collected for every few megabytes of buffers
 * that pass through: in a ceremony that took a fifth of a keyholder's time.
 */
export const RUNTIME_FLAGS: readonly string[] = ["--max-semi-space-size=4", "--initial-old-space-size=96"]

/**
 * Environment of a keyholder. glibc gives every thread a heap of its own and each keeps what a ceremony freed there;
 * with two heaps a keyholder that decrypts stays at 170–190 MB resident instead of 200–270 MB. Canonical words are mapped
 * by themselves and unmapped when they go, instead of leaving holes in a heap. Executors compute on all cores and keep the
 * default.
 */
export const KEYHOLDER_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "65536",
}
