import { expect, test } from 'vitest'
import { runChecks, type Stage } from '../../src/checks/index.ts'
import { buildFixture, startFixture, type TestMachine } from './machine.ts'

/** What create_init allocates: the first task, its mm, and page and entries of its top table. */
const FIRST = 5

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
