// The runs of a judgement: two or three scenarios on real threads, for equal parts of the time. Leaves out the run:
// src/run.
import type { Conduct } from '../base/conduct.ts'
import { UsageError } from '../base/errors.ts'
import { findScenario, namedScenarios, type ScenarioFile } from '../catalog/scenarios.ts'
import type { RunReport } from '../run/report.ts'
import { planRun, runPlan } from '../run/run.ts'
import type { Deadline } from './deadline.ts'
import type { Tally } from './hunting.ts'
import { type JudgePlan, nameOf } from './plan.ts'

/** Of these, those that reach what is judged, in this order. */
const STRESSED = ['mixed', 'fork-storm', 'same-page', 'swap-storm']
const MOST = 3
/** Seconds that a run takes beside its window: to build, boot, warm up and check. */
const AROUND = 1.5
const SHORTEST = 0.2

/** Runs until `deadline`, or until one run is violated. */
export async function stressJudged(
  plan: JudgePlan,
  tally: Tally,
  deadline: Deadline,
  conduct: Conduct,
): Promise<RunReport[]> {
  const { candidate } = tally.judged
  const scenarios = stressedBy(tally)
  const reports: RunReport[] = []
  for (const [index, scenario] of scenarios.entries()) {
    const share = deadline.left / (scenarios.length - index) - AROUND
    // One run there is, however late it has become.
    if ((index > 0 && deadline.left < SHORTEST) || conduct.signal?.aborted === true) break
    const seconds = Math.round(Math.max(SHORTEST, share) * 10) / 10
    conduct.progress?.(`run: ${nameOf(scenario)} on real threads, ${seconds} s`)
    const choices = {
      ...{ seconds, seed: plan.seed, patch: candidate.patches },
      config: [...plan.settings, ...candidate.settings],
    }
    try {
      const { rows } = await runPlan(planRun(nameOf(scenario), choices), { signal: conduct.signal })
      reports.push(...rows)
      if (rows.some(({ verdict }) => verdict === 'violated')) break
    } catch (error) {
      // A scenario that cannot be set up so on threads says nothing of the candidate: it has been hunted.
      if (!(error instanceof UsageError)) throw error
      conduct.progress?.(error.message)
    }
  }
  return reports
}

function stressedBy({ judged, rows }: Tally): ScenarioFile[] {
  if (judged.candidate.kind === 'scenario') return [...judged.scenarios]
  const reaching = new Set(rows.filter(({ reaches }) => reaches).map(({ scenario }) => scenario))
  const usual = STRESSED.filter((name) => namedScenarios().some((known) => known.name === name))
  const chosen = [...new Set([...usual, ...reaching])].filter((name) => reaching.has(name))
  return chosen.slice(0, MOST).map((name) => findScenario(name))
}
