/** Child of the kill test: writes without end and prints a number once its writes are acknowledged. */
import { Secret } from "../secret.ts"
import { openSqliteStore } from "./sqliteStore.ts"

const store = openSqliteStore({ path: process.argv[2] ?? "", key: new Secret(new Uint8Array(32).fill(7)) })
for (let n = 0; n < 200; n++) {
  const counter = new Uint8Array(4)
  new DataView(counter.buffer).setUint32(0, n)
  await store.put("written", String(n % 10), new Uint8Array(5000).fill(n))
  await store.put("count", "last", counter)
  process.stdout.write(`${n}\n`)
}
// Stays alive, store open: only the kill ends this process.
setInterval(() => {}, 1000)
