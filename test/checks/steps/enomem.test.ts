// E13: each effect without and with what may be its cause, by the event counters of a machine at rest.
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { Bench, bootStepped, buildStepped } from './bench.ts'

let bench: Bench
let stat: Float64Array

beforeAll(async () => {
  const image = await buildStepped(fileURLToPath(new URL('fixtures/mapped.ts', import.meta.url)))
  const machine = await bootStepped(image)
  stat = machine.stat
  bench = new Bench(machine, image)
})

/** What the check says when these events of mm/vmstat.ts have happened in an execution. */
function after(...events: string[]): string | undefined {
  const counts: Record<string, number> = bench.s
  return bench.message({ name: 'enomem' }, () => {
    for (const event of events) stat[counts[event]]++
  })
}

test.each([
  ['ENOMEM_CALLS', 'a system call returned -ENOMEM', ['ALLOC_FAILED', 'ENOMEM_REFUSED', 'MEMCG_MAX']],
  ['OOM_FAULTS', 'a fault ended with VM_FAULT_OOM', ['ALLOC_FAILED', 'MEMCG_MAX', 'SWAPIN_GONE']],
  ['OOM_KILL', 'the OOM killer has killed', ['ALLOCSTALL', 'MEMCG_MAX']],
])('%s needs a cause in the same execution', (effect, text, causes) => {
  expect(after(effect)).toContain(text)
  for (const cause of causes) expect(after(cause, effect)).toBeUndefined()
})

test('a cause of the execution before is none', () => {
  stat[bench.s.ALLOC_FAILED]++
  expect(after('OOM_FAULTS')).toContain('no allocation has failed')
})

test('a cause without an effect is clean', () =>
  expect(after('ALLOC_FAILED', 'ENOMEM_REFUSED')).toBeUndefined())
