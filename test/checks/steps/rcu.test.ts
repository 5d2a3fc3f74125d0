// E14: objects given to call_rcu, by made-up steps on a machine whose VMAs wait for a grace period, and in a hunt.
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { Kind } from '../../../src/step/kinds.ts'
import { Bench, bootStepped, buildStepped } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  const image = await buildStepped(fileURLToPath(new URL('fixtures/mapped.ts', import.meta.url)), [
    'VMA_LOCK=y',
  ])
  bench = new Bench(await bootStepped(image), image)
})

const rcu = { name: 'rcu' }

const vma = (b: Bench): number => b.memory[b.mm + b.s.mm$mm_mt]
const nesting = (b: Bench, cpu: number): number =>
  b.s.PERCPU + cpu * b.s.PERCPU_WORDS + b.s.percpu$rcu_nesting

const enter = (b: Bench, cpu: number): void => {
  b.memory[nesting(b, cpu)] = 1
}
const leave = (b: Bench, cpu: number): void => b.step(cpu, Kind.RELEASE_WRITE, nesting(b, cpu), 0)
const call = (b: Bench): void => b.step(0, Kind.PLAIN_WRITE, vma(b) + b.s.rcu_head$next, 0, 0, 'call_rcu')
const read = (b: Bench, cpu: number): void => b.step(cpu, Kind.ONCE_READ, vma(b) + b.s.vma$vm_start)

test('whoever touches an object that waits, in no read-side section, is a violation', () => {
  const steps = (b: Bench): void => {
    call(b)
    read(b, 1)
  }
  expect(bench.message(rcu, steps)).toMatch(
    /waits for the end of a grace period .* which is in no read-side section/,
  )
  expect(bench.message(rcu, (b) => read(b, 1))).toBeUndefined()
})

test('a section that was open may read it, until it ends', () => {
  const inside = (b: Bench): void => {
    enter(b, 1)
    call(b)
    read(b, 1)
  }
  expect(bench.message(rcu, inside)).toBeUndefined()
  const again = (b: Bench): void => {
    inside(b)
    leave(b, 1)
    enter(b, 1)
    read(b, 1)
  }
  expect(bench.message(rcu, again)).toContain('whose read-side section began later')
})

test('an object that was freed and is in use again waits no more', () => {
  const steps = (b: Bench): void => {
    call(b)
    const object = vma(b)
    b.free(0, object)
    b.step(0, Kind.PLAIN_READ, object, 0, 0, 'kmem_cache_alloc')
    b.observer.objectAllocated!(0, object, 0)
    read(b, 1)
  }
  expect(bench.message(rcu, steps)).toBeUndefined()
})

test('who keeps it may link it', () => {
  const steps = (b: Bench): void => {
    call(b)
    b.step(0, Kind.PLAIN_READ, vma(b) + b.s.rcu_head$next, 0, 0, 'rcu_do_batch')
  }
  expect(bench.message(rcu, steps)).toBeUndefined()
})
