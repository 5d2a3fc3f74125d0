// Faults that are seeded into the kernel, each found in a hunt by the one check that is for it, and no other.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Form, hunted, verdictOf } from '../reverts/hunted.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url))

interface Fault extends Form {
  /** File in patches/. */
  readonly patch: string
  readonly check: string
  readonly executions?: number
}

const FAULTS: readonly Fault[] = [
  {
    ...{ patch: 'lookup-outside-section', scenario: 'munmap-fault', config: ['VMA_LOCK=y'] },
    ...{ check: 'rcu', executions: 500 },
  },
  { patch: 'zero-page-writable', scenario: 'same-page', check: 'page-contents' },
  { patch: 'private-file-writable', scenario: 'shmem', check: 'page-contents' },
  { patch: 'remove-dirty-page', scenario: fixture('file_reclaim'), check: 'page-contents' },
  {
    ...{ patch: 'swapoff-no-wait', scenario: fixture('swapoff'), check: 'swap-device' },
    ...{ operations: 1, pages: 1, executions: 100 },
  },
  { patch: 'mmap-refuses', scenario: 'mmap-churn', operations: 8, check: 'enomem' },
  { patch: 'lost-recheck-is-oom', scenario: 'same-page', check: 'enomem' },
  { patch: 'kill-before-reclaim', scenario: 'oom', check: 'enomem' },
  { patch: 'munmap-keeps-size', scenario: 'munmap-fault', check: 'address spaces' },
  { patch: 'fork-counts-no-child', scenario: 'fork-cow', check: 'task tree' },
]

test.each(FAULTS)('$patch is found by $check', async ({ patch, check, executions = 20, ...form }) => {
  const patches = [fileURLToPath(new URL(`patches/${patch}.patch`, import.meta.url))]
  expect(verdictOf(await hunted({ ...form, patches, executions }))).toBe(check)
})
