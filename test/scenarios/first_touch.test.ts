// What first-touch itself checks of its pages when there are more threads than a page has words, so that some share
// one: hunts of the kernel as it is, and of two whose stores go wrong. The races of first touches: test/reverts.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/base/root.ts'
import { hunt } from '../../src/index.ts'

/** CPUs of one thread more than a page has words: the first and the last write the same. */
const SHARING = 17
const BUG = /^kernel BUG at scenarios\/first-touch\.ts:\d+!/

/** What a hunt on so many CPUs finds, with `patch` in the kernel: the first line of its report, or `held`. */
async function found(cpus: number, executions: number, patch?: string): Promise<string> {
  const { verdict, violation } = await hunt({
    ...{ scenario: 'first-touch', cpus, operations: 2, pages: 1, seed: 1, executions, workers: 1 },
    ...(patch && { patch: [join(packageRoot(), 'test/scenarios/patches', patch)] }),
  })
  return violation?.report[0] ?? verdict
}

test('threads that share a word hold', async () => {
  expect(await found(SHARING, 10)).toBe('held')
})

test('a store that is lost is a BUG', async () => {
  expect(await found(SHARING, 1, 'store-lost.patch')).toMatch(BUG)
})

test("a store to another thread's word is a BUG", async () => {
  expect(await found(2, 200, 'store-beside.patch')).toMatch(BUG)
})
