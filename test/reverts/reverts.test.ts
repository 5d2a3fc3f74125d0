import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { builtInScenarios } from '../../src/catalog/scenarios.ts'
import { applyPatches } from '../../src/kbuild/patch.ts'
import { listReverts, readRevert } from '../../src/catalog/reverts.ts'
import { packageRoot } from '../../src/base/root.ts'
import { hunted, verdictOf } from './hunted.ts'

/** Executions in which each must be found; held.test.ts has the kernel without them. */
const EXECUTIONS = 1280
const reverts = listReverts()
const patch = (name: string): string => fileURLToPath(new URL(`patches/${name}.patch`, import.meta.url))

describe('readRevert', () => {
  it('names the nearest when there is none of that name', () => {
    expect(() => readRevert('wp-no-flash')).toThrow(UsageError)
    expect(() => readRevert('wp-no-flash')).toThrow(/did you mean wp-no-flush\?/)
  })
})

describe.each(reverts)(
  'revert $id',
  ({ id, description, scenario, patch: file, config, cpus, operations, pages, checks }) => {
    it('is described, and applies to the sources of the kernel alone', () => {
      expect(description).not.toBe('')
      expect(builtInScenarios().map(({ name }) => name)).toContain(scenario)
      expect(checks).not.toEqual([])
      const kernel = `${packageRoot()}/src/kernel/`
      for (const path of applyPatches(packageRoot(), [file]).keys())
        expect(path.startsWith(kernel), path).toBe(true)
      expect(readFileSync(file, 'utf8'), id).toContain('--- a/src/kernel/')
    })

    it('is found by the check that race.md names', { timeout: 120_000 }, async () => {
      const form = { scenario, config, cpus, operations, pages }
      const result = await hunted({ ...form, patches: [file], executions: EXECUTIONS })
      expect(checks).toContain(verdictOf(result))
    })
  },
)

describe('patches that put in what was never there', () => {
  it('waiting for acknowledgements with interrupts off is found', { timeout: 120_000 }, async () => {
    const result = await hunted({
      scenario: 'fork-discard',
      patches: [patch('flush-irqs-off')],
      executions: EXECUTIONS,
    })
    expect(['deadlock', 'lockdep']).toContain(verdictOf(result))
  })

  it('a flush under lru_lock is found, which has interrupts off', { timeout: 120_000 }, async () => {
    const result = await hunted({
      scenario: 'swap-storm',
      config: ['SWAP=y'],
      patches: [patch('flush-under-lru-lock')],
      executions: EXECUTIONS,
    })
    expect(verdictOf(result)).toBe('BUG')
  })

  it(
    'where no assertion stops it, it is a deadlock with whoever waits for lru_lock',
    { timeout: 120_000 },
    async () => {
      const result = await hunted({
        scenario: 'swap-storm',
        config: ['SWAP=y'],
        patches: [patch('flush-under-lru-lock-unchecked')],
        executions: EXECUTIONS,
      })
      expect(['deadlock', 'lockdep']).toContain(verdictOf(result))
    },
  )

  it('a ticket drawn by a load and a store is found', { timeout: 120_000 }, async () => {
    const config = ['SPINLOCK=ticket', 'PARAVIRT_SPINLOCKS=y']
    const result = await hunted({
      scenario: 'lock-torture',
      config,
      patches: [patch('ticket-split')],
      executions: EXECUTIONS,
    })
    expect(verdictOf(result)).not.toBe('held')
  })

  it('waiting for mmap_lock under the lock of a VMA is found', { timeout: 120_000 }, async () => {
    const result = await hunted({
      scenario: 'mprotect-first-touch',
      config: ['VMA_LOCK=y'],
      patches: [patch('vma-lock-held-over-mmap-lock')],
      executions: EXECUTIONS,
    })
    expect(['deadlock', 'lockdep']).toContain(verdictOf(result))
  })

  it(
    'a plain store to the flags of a migrated page that is in the swap cache is found',
    { timeout: 120_000 },
    async () => {
      const result = await hunted({
        scenario: 'fork-mmlist',
        config: ['SWAP=y'],
        cpus: 3,
        operations: 3,
        patches: [patch('migrate-uptodate-plain')],
        executions: EXECUTIONS,
      })
      expect(verdictOf(result)).toBe('kcsan')
    },
  )

  it('a sum of deltas that leaves some out is found', { timeout: 120_000 }, async () => {
    const result = await hunted({
      scenario: 'refcount-torture',
      config: ['REFCOUNT=percpu'],
      patches: [patch('refcount-no-flush')],
      executions: EXECUTIONS,
    })
    expect(verdictOf(result)).toBe('BUG')
  })
})

describe.each(['tas', 'ttas', 'ticket', 'mcs', 'qspinlock', 'pvqspinlock'])(
  'SPINLOCK=%s under lock-torture',
  (name) => {
    it.each([2, 3])('holds with %i CPUs that park', { timeout: 300_000 }, async (cpus) => {
      const config = [`SPINLOCK=${name}`, 'PARAVIRT_SPINLOCKS=y']
      const result = await hunted({ scenario: 'lock-torture', config, cpus, executions: 2 * EXECUTIONS })
      expect(result.violations.map(({ check, message }) => `${check}: ${message}`)).toEqual([])
    })
  },
)

describe('vma-lock, in which a hardware walk reads what an unmapping clears', () => {
  it.each(['y', 'n'])('holds with VMA_LOCK=%s', { timeout: 120_000 }, async (value) => {
    const result = await hunted({
      scenario: 'vma-lock',
      config: [`VMA_LOCK=${value}`],
      executions: EXECUTIONS,
    })
    expect(verdictOf(result)).toBe('held')
  })
})
