import { test } from 'vitest'
import { hunt } from '../../src/explore/hunt.ts'
import { shrink } from '../../src/explore/shrink.ts'
import { record } from '../../src/explore/record.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { subjectOf, type ProgramName } from './subject.ts'
test('x', () => {
  for (const p of ['lostUpdate', 'abba', 'needle20x2', 'needle20x4', 'endless'] as ProgramName[])
    for (const scheduler of SCHEDULERS.slice(1,3)) {
      const sizes = { cpus: 3, turns: p==='endless'?0:5, pages: 0 }
      const s = subjectOf(p, sizes)
      const r = hunt(s, { seed: 1, scheduler, executions: 200000, sites: 10 })
      const v = r.violations[0]!
      console.log(p, scheduler.name, r.verdict, r.executions, v.key, v.execution, v.schedule.length, v.steps)
      const t = performance.now()
      const k = shrink(s, v.check, v.schedule, v.steps, { sizes, make: (z) => subjectOf(p, z) })!
      console.log(k.sizes, k.schedule.join(), k.steps, k.switches, k.proofs, k.executions, performance.now() - t)
      const rec = record(k.subject, k.schedule, k.steps)
      console.log(rec.history.length, rec.places, rec.finding)
    }
})
