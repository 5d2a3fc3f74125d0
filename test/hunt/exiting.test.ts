// What fails while the tasks exit, behind an execution that held: a violation with its place, as any other.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { huntPlans } from '../../src/hunt/hunt.ts'
import { planHunt } from '../../src/hunt/plan.ts'
import type { ViolationReport } from '../../src/hunt/report.ts'
import { replayRecorded } from '../../src/hunt/replay.ts'
import { formatViolation } from '../../src/report/hunt_text.ts'

/** The violation of same-page with a patch of fixtures/, as it is found and as it is replayed. */
async function violated(
  patch: string,
): Promise<{ report: ViolationReport; text: string; again: ViolationReport }> {
  const plan = planHunt('same-page', {
    ...{ executions: 1, operations: 1, pages: 1, off: ['lockdep'] },
    patch: [fileURLToPath(new URL(`fixtures/${patch}.patch`, import.meta.url))],
  })
  const [{ report, descriptions, replays }] = (await huntPlans([plan])).hunted
  const violation = report.violation!
  const { report: again } = await replayRecorded(replays[0])
  return {
    report: violation,
    text: formatViolation(violation, descriptions[0], false),
    again: again.violation,
  }
}

describe('while the tasks exit', () => {
  it('a wait is a deadlock, with what is waited for and the stack', { timeout: 120_000 }, async () => {
    const { report, text, again } = await violated('exit-locked')
    expect(report).toMatchObject({
      check: 'deadlock',
      message: 'a wait that nobody can end while the tasks exit',
    })
    expect(report.report[1]).toMatch(/^ CPU 0 waits for machine tasklist_lock .*, held by itself$/)
    expect(text).toMatch(/ Call Trace:\n {2}spin_lock_nested .*\n {2}free_dead_task exit\.ts:\d+\n/)
    expect(again).toMatchObject({ check: report.check, report: report.report, cpus: report.cpus })
  })

  it('a BUG has its place', { timeout: 120_000 }, async () => {
    const { report, text } = await violated('exit-bug')
    expect(report.check).toBe('BUG')
    expect(report.ofScenario).toBeUndefined()
    expect(report.report[0]).toMatch(/^kernel BUG at src\/kernel\/exit\.ts:\d+ while the tasks exit!$/)
    expect(text).toMatch(/ Call Trace:\n(.*\n)? {2}exit_task_at_rest exit\.ts:\d+\n/)
  })
})
