import { describeSealedStore } from "../../../test/compliance/sealedStore.ts"
import { createMemoryStore } from "./memoryStore.ts"

describeSealedStore("memory store", createMemoryStore)
