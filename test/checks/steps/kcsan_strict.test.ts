// kcsan-strict: which marked reads order what, by made-up steps; and an acquire that is weakened to READ_ONCE, which
// kcsan does not see.
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { STEP_CHECKS } from '../../../src/checks/steps/index.ts'
import { chooseChecks } from '../../../src/catalog/checks.ts'
import { buildHunt } from '../../../src/hunt/build.ts'
import { huntSettings } from '../../../src/hunt/plan.ts'
import { findScenario } from '../../../src/catalog/scenarios.ts'
import { hunt } from '../../../src/explore/hunt.ts'
import { SCHEDULERS } from '../../../src/explore/schedulers/index.ts'
import { parseConfig } from '../../../src/kbuild/config.ts'
import { Kind } from '../../../src/step/kinds.ts'
import { FENCE_RMB } from '../../../src/step/observer.ts'
import { verdictOf } from '../../reverts/hunted.ts'
import { Bench, bootStepped, buildStepped } from './bench.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

let bench: Bench

beforeAll(async () => {
  const image = await buildStepped(path('fixtures/mapped.ts'))
  bench = new Bench(await bootStepped(image), image)
})

const vma = (b: Bench): number => b.memory[b.mm + b.s.mm$mm_mt]

/** CPU 0 stores a plain word, then publishes `value` at `flag`; CPU 1 finds it there by a read of kind `kind`. */
function publish(b: Bench, flag: number, value: number, kind: number = Kind.ONCE_READ): void {
  b.step(0, Kind.PLAIN_WRITE, vma(b) + b.s.vma$vm_flags, 1)
  b.step(0, Kind.RELEASE_WRITE, flag, value)
  b.step(1, kind, flag)
}
const flag = (b: Bench): number => b.mm + b.s.mm$mm_lock_seq
const read = (b: Bench): void => b.step(1, Kind.PLAIN_READ, vma(b) + b.s.vma$vm_flags)

/** What kcsan-strict says, and what kcsan. */
const found = (steps: (b: Bench) => void): boolean[] =>
  ['kcsan-strict', 'kcsan'].map((name) => bench.message({ name }, steps) !== undefined)

describe('what is read behind a marked read', () => {
  test('is not ordered by READ_ONCE, which kcsan takes for an acquire', () => {
    const steps = (b: Bench): void => {
      publish(b, flag(b), 1)
      read(b)
    }
    expect(found(steps)).toEqual([true, false])
    expect(bench.message({ name: 'kcsan-strict' }, steps)).toContain('BUG: KCSAN: data-race')
  })
  test('is ordered by an acquire', () => {
    const steps = (b: Bench): void => {
      publish(b, flag(b), 1, Kind.ACQUIRE_READ)
      read(b)
    }
    expect(found(steps)).toEqual([false, false])
  })
  test('is ordered by smp_rmb', () => {
    const steps = (b: Bench): void => {
      publish(b, flag(b), 1)
      b.observer.fence!(1, FENCE_RMB)
      read(b)
    }
    expect(found(steps)).toEqual([false, false])
  })
  test('is ordered if its address was read, also by way of another object', () => {
    const direct = (b: Bench): void => {
      publish(b, flag(b), vma(b))
      read(b)
    }
    expect(found(direct)).toEqual([false, false])
    const chain = (b: Bench): void => {
      const page = b.pageOf(b.memory[b.pte.addr])
      b.memory[page + b.s.page$mapping] = vma(b)
      publish(b, flag(b), page)
      b.step(1, Kind.PLAIN_READ, page + b.s.page$mapping)
      read(b)
    }
    expect(found(chain)).toEqual([false, false])
  })
})

test('what is written behind a marked read may depend on it', () => {
  const steps = (b: Bench): void => {
    publish(b, flag(b), 1)
    b.step(1, Kind.PLAIN_WRITE, vma(b) + b.s.vma$vm_flags, 2)
  }
  expect(found(steps)).toEqual([false, false])
})

test('kcsan-strict is on only by its name, in the place of kcsan', () => {
  expect(chooseChecks([], [])).toEqual(['kcsan-strict'])
  expect(chooseChecks(['steps'], [])).toContain('kcsan-strict')
  const off = chooseChecks(['kcsan-strict'], [])
  expect(off).toContain('kcsan')
  expect(off).not.toContain('kcsan-strict')
})

describe('smp_load_acquire of mm_lock_seq weakened to READ_ONCE', () => {
  const verdict = async (check: string): Promise<string> => {
    const source = findScenario('mprotect-first-touch')
    const built = await buildHunt({
      config: parseConfig(huntSettings(2, ['VMA_LOCK=y'], source)),
      scenario: source.file,
      patches: [path('patches/acquire-once.patch')],
      seed: 1,
      stepLimit: 20_000,
      off: STEP_CHECKS.map(({ name }) => name).filter((name) => name !== check),
    })
    const subject = built.make({ cpus: 2, operations: 2, pages: 3 })
    const sites = built.image.sites.length
    return verdictOf(await hunt(subject, { seed: 1, scheduler: SCHEDULERS[0], sites, executions: 640 }))
  }

  test('is found by kcsan-strict', async () => expect(await verdict('kcsan-strict')).toBe('kcsan-strict'))
  test('is not found by kcsan', async () => expect(await verdict('kcsan')).toBe('held'))
})
