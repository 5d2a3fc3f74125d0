import { test } from 'vitest'
import { hunt } from '../../src/explore/hunt.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { subjectOf, type ProgramName } from './subject.ts'
test('x', () => {
  for (const p of ['lostUpdate', 'lockedUpdate', 'abba', 'waiting', 'needle20x2', 'endless'] as ProgramName[])
    for (const scheduler of SCHEDULERS) {
      const r = hunt(subjectOf(p), { seed: 1, scheduler, executions: 20000, sites: 10 })
      console.log(p, scheduler.name, r.verdict, r.executions, r.steps, Math.round(r.executionsPerSecond), r.distinctSchedules, r.distinctStates, r.sharedWords, r.conflictPairs, r.exhausted, r.warnings, r.violations.map(v => [v.key, v.execution, v.schedule.join()]), r.shares)
    }
})
