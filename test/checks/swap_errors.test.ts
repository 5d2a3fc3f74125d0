import { expect, test } from 'vitest'
import { ExecutionRandom } from '../../src/step/random.ts'
import { RandomScheduler } from '../../src/explore/schedulers/random.ts'
import { subjectOf } from '../reverts/hunted.ts'

const EXECUTIONS = 200

test(
  'swap-errors meets every error that it is for, and every check holds',
  { timeout: 120_000 },
  async () => {
    const { machine, observers, atRest } = (
      await subjectOf({ scenario: 'swap-errors', cpus: 2, operations: 4 })
    ).subject
    const [scheduler, random] = [new RandomScheduler(), new ExecutionRandom()]
    machine.observe(observers)
    machine.stat.fill(0)
    for (let i = 0; i < EXECUTIONS; i++) {
      expect(machine.run(scheduler, i, random.restart(1, i)), `execution ${i}`).toEqual({ kind: 'held' })
      expect(atRest?.() ?? null, `execution ${i}`).toBe(null)
    }
    const count = (event: string): number => machine.stat[machine.symbols[event]]
    for (const event of ['SWAP_READ_ERRORS', 'SWAP_WRITE_ERRORS', 'SIGBUS_FAULTS', 'OOM_KILL', 'PGMAJFAULT'])
      expect(count(event), event).toBeGreaterThan(0)
  },
)
