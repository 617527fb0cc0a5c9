import { expect, test } from "vitest"
import { type BatchOptions, createBatchQueue } from "./batchQueue.ts"

function queueOf(options: Partial<BatchOptions<number>> = {}) {
  const batches: (readonly number[])[] = []
  const ends: (() => void)[] = []
  const errors: unknown[] = []
  const queue = createBatchQueue<number>(
    (batch) => {
      batches.push(batch)
      return new Promise((resolve) => ends.push(resolve))
    },
    { maxItems: 4, onError: (error) => errors.push(error), ...options },
  )
  const settle = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  return { queue, batches, errors, settle, end: () => ends.shift()?.() }
}

test("what is added in one turn is one batch, what comes meanwhile is the next", async () => {
  const { queue, batches, settle, end } = queueOf()
  queue.add([1])
  queue.add([2, 3])
  expect(batches).toEqual([])
  await settle()
  queue.add([4])
  queue.add([5])
  await settle()
  expect(batches).toEqual([[1, 2, 3]])
  end()
  await settle()
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5],
  ])
})

test("a batch has at most so many items", async () => {
  const { queue, batches, settle, end } = queueOf()
  queue.add([1, 2, 3, 4, 5, 6])
  await settle()
  end()
  await settle()
  expect(batches).toEqual([
    [1, 2, 3, 4],
    [5, 6],
  ])
})

test("a batch weighs no more than allowed, but for a single item", async () => {
  const { queue, batches, settle, end } = queueOf({ weigh: (item) => item, maxWeight: 10 })
  queue.add([4, 5, 3, 30, 1])
  for (let i = 0; i < 5; i++) {
    await settle()
    end()
  }
  expect(batches).toEqual([[4, 5], [3], [30], [1]])
})

test("a failed batch is told of, and the next one runs", async () => {
  const failed: (readonly number[])[] = []
  const done: number[] = []
  const queue = createBatchQueue<number>(
    async (batch) => {
      if (batch.includes(1)) throw new Error("spoilt")
      done.push(...batch)
    },
    { maxItems: 1, onError: (_, batch) => failed.push(batch) },
  )
  queue.add([1, 2])
  for (let i = 0; i < 10; i++) await Promise.resolve()
  expect(failed).toEqual([[1]])
  expect(done).toEqual([2])
})

test("nor does a listener that fails end the queue", async () => {
  const done: number[] = []
  const queue = createBatchQueue<number>(
    async (batch) => {
      if (batch.includes(1)) throw new Error("spoilt")
      done.push(...batch)
    },
    {
      maxItems: 1,
      onError: () => {
        throw new Error("cannot be told")
      },
    },
  )
  queue.add([1, 2])
  for (let i = 0; i < 10; i++) await Promise.resolve()
  queue.add([3])
  for (let i = 0; i < 10; i++) await Promise.resolve()
  expect(done).toEqual([2, 3])
})

test("a stopped queue drops what waits", async () => {
  const { queue, batches, settle, end } = queueOf({ maxItems: 1 })
  queue.add([1, 2])
  await settle()
  queue.stop()
  end()
  await settle()
  expect(batches).toEqual([[1]])
})
