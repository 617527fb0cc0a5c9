/**
 * The evaluation keys that an executor has in memory, more than 2 GB each, which the collector knows nothing of: those that
 * it serves, and the one that it tested last. A key whose ceremony fails after its test would stay for ever otherwise.
 */
import type { ServerKey, ServerKeyFile } from "../threshold/serverKey.ts"

export type LoadedKeys = {
  /** Takes the place of the key that was tested before, unless that one is served. @throws what loading throws */
  test(file: ServerKeyFile): Promise<ServerKey>
  /** Stays for the life of the process. @throws what loading throws */
  serve(file: ServerKeyFile): Promise<ServerKey>
  /** Frees the key of this file, unless it is served. */
  drop(path: string): void
}

type Loaded = { readonly key: Promise<ServerKey>; served: boolean }

export function createLoadedKeys(load: (file: ServerKeyFile) => Promise<ServerKey>): LoadedKeys {
  const loaded = new Map<string, Loaded>()

  function drop(path: string): void {
    const known = loaded.get(path)
    if (known === undefined || known.served) return
    loaded.delete(path)
    known.key.then(
      (key) => key.destroy(),
      () => {},
    )
  }

  function keep(file: ServerKeyFile): Loaded {
    const { path } = file
    const known = loaded.get(path) ?? { key: load(file), served: false }
    loaded.set(path, known)
    known.key.catch(() => {
      if (loaded.get(path) === known) loaded.delete(path)
    })
    return known
  }

  return {
    test(file) {
      for (const path of loaded.keys()) if (path !== file.path) drop(path)
      return keep(file).key
    },
    serve(file) {
      const known = keep(file)
      known.served = true
      return known.key
    },
    drop,
  }
}
