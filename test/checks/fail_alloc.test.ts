import { expect, test } from 'vitest'
import { runChecks, type Stage } from '../../src/checks/index.ts'
import { ExecutionRandom } from '../../src/step/random.ts'
import { RandomScheduler } from '../../src/explore/schedulers/random.ts'
import { subjectOf } from '../reverts/hunted.ts'
import { buildFixture, startFixture, type TestMachine } from './machine.ts'

/** The first allocation behind those of create_init: the first task, its mm, its top table. */
const FIRST = 4

function failing(machine: TestMachine, stage: Stage): unknown[] {
  return runChecks(machine, stage).filter((one) => one.ok === false)
}

test.each(['mm', 'pmd'])('every check holds whichever allocation fails, PTLOCK=%s', async (ptlock) => {
  const image = await buildFixture('fail_alloc', { FAIL_ALLOC: 1, PTLOCK: ptlock, MEMORY: '4M' })
  let failed = 0
  for (let n = FIRST; ; n++) {
    const machine = await startFixture(image)
    machine.memory[machine.s.machine$fail_alloc] = n
    expect(machine.kernel.scenario_setup(), `allocation ${n}`).toBe(0)
    expect(failing(machine, 'running'), `allocation ${n}`).toEqual([])
    machine.kernel.exit_all_tasks()
    expect(failing(machine, 'torn-down'), `allocation ${n}, after teardown`).toEqual([])
    if (machine.memory[machine.s.machine$nr_allocs] < n) break
    failed++
  }
  expect(failed).toBeGreaterThan(50)
})

test('every check holds whichever page, slot, read or write fails with swap', async () => {
  const image = await buildFixture('fail_swap', { FAIL_ALLOC: 1, SWAP: 'y', SWAP_MAP_MAX: 1, MEMORY: '4M' })
  let failed = 0
  for (let n = FIRST; ; n++) {
    const machine = await startFixture(image)
    machine.memory[machine.s.machine$fail_alloc] = n
    expect(machine.kernel.scenario_setup(), `allocation ${n}`).toBe(0)
    expect(failing(machine, 'running'), `allocation ${n}`).toEqual([])
    machine.kernel.exit_all_tasks()
    expect(failing(machine, 'torn-down'), `allocation ${n}, after teardown`).toEqual([])
    if (machine.memory[machine.s.machine$nr_allocs] < n) break
    failed++
  }
  expect(failed).toBeGreaterThan(40)
})

/** Interleavings that each allocation fails in. */
const SCHEDULES = 3

test.each(['swap-storm', 'fork-swapped', 'reclaim', 'memcg-limit', 'oom', 'swap-errors'])(
  '%s on two stepped CPUs holds whichever page, slot, read or write fails',
  { timeout: 300_000 },
  async (scenario) => {
    const { machine, observers, atRest } = (
      await subjectOf({ scenario, pages: 4, config: ['FAIL_ALLOC=1000000'] })
    ).subject
    const { machine$fail_alloc: fails, machine$nr_allocs: count } = machine.symbols
    const [scheduler, random] = [new RandomScheduler(), new ExecutionRandom()]
    machine.observe(observers)
    let failed = 0
    // Those of setup are over; the machine starts its count again from there in every execution.
    for (let n = machine.memory[count] + 1, reached = true; reached; n++) {
      machine.memory[fails] = n
      reached = false
      for (let i = 0; i < SCHEDULES; i++) {
        const ending = machine.run(scheduler, i, random.restart(n, i))
        expect(ending, `allocation ${n}, schedule ${i}`).toEqual({ kind: 'held' })
        if (machine.memory[count] >= n) reached = true
        expect(atRest?.() ?? null, `allocation ${n}, schedule ${i}`).toBe(null)
      }
      if (reached) failed++
    }
    expect(failed).toBeGreaterThan(10)
  },
)
