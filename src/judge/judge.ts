// Judges page-table-lock designs, spinlocks, scenarios and patches: hunts, then runs on real threads, then curves on
// the clock, each in its share of the time; a plan to its document. Leaves out the phases themselves, and the
// document's text: src/report.
import { relative } from 'node:path'
import type { Conduct } from '../base/conduct.ts'
import { shellQuote } from '../base/shell.ts'
import type { HuntVerdict } from '../base/verdict.ts'
import type { Hunted } from '../hunt/hunt.ts'
import type { RunReport } from '../run/report.ts'
import { Deadline } from './deadline.ts'
import { huntJudged, type Tally } from './hunting.ts'
import { memoryOf } from './memory.ts'
import { DEFAULT_BUDGET, type JudgePlan, SHARES } from './plan.ts'
import { type Judged, type JudgeReport, worst } from './report.ts'
import { type Scaled, scaleJudged } from './scaling.ts'
import { stressJudged } from './stress.ts'

/** A judgement: its document, and of each violation that a hunt found the hunt, by candidate. */
export interface Judgement {
  readonly report: JudgeReport
  readonly violations: readonly (Hunted | undefined)[]
}

/**
 * Judges all of the plan in its time. A violation is a result, and ends the phases of its candidate. Throws UsageError
 * for what is wrong in the user's files.
 */
export async function judgePlan(plan: JudgePlan, conduct: Conduct = {}): Promise<Judgement> {
  const { signal } = conduct
  const end = new Deadline(plan.budget)
  const hunts = new Deadline(plan.budget * SHARES.hunt)
  const tallies = await huntJudged(plan, hunts, end, conduct)
  const runs = new Deadline(Math.min(end.left, plan.budget * SHARES.run))
  const stressed: RunReport[][] = []
  for (const [index, tally] of tallies.entries())
    stressed.push(
      tally.violation === undefined
        ? await stressJudged(plan, tally, part(runs, tallies.length - index), conduct)
        : [],
    )
  const judged: Judged[] = []
  for (const [index, tally] of tallies.entries()) {
    const failed = tally.violation !== undefined || stressed[index].some(isViolated)
    const scaled = failed
      ? undefined
      : await scaleJudged(plan, tally.judged, part(end, tallies.length - index), conduct)
    judged.push(await judgedOf(tally, stressed[index], scaled))
  }
  const report: JudgeReport = {
    schema: 'mmtorture/judge@1',
    budget: plan.budget,
    seconds: Math.round((plan.budget - end.left) * 10) / 10,
    seed: plan.seed,
    workers: plan.workers,
    cpus: plan.cpus,
    topologies: plan.topologies,
    settings: plan.settings,
    judged,
    ...(signal?.aborted ? { interrupted: true as const } : {}),
    verdict: worst(judged.map(({ verdict }) => verdict)),
    command: commandLine(plan),
  }
  return { report, violations: tallies.map(({ violation }) => violation) }
}

/** An equal part of what is left for so many. */
function part(deadline: Deadline, of: number): Deadline {
  return new Deadline(Math.max(0, deadline.left / of))
}

async function judgedOf(
  tally: Tally,
  runs: readonly RunReport[],
  scaled: Scaled | undefined,
): Promise<Judged> {
  const { candidate } = tally.judged
  const failed =
    tally.violation !== undefined
      ? ('hunt' as const)
      : runs.some(isViolated)
        ? ('run' as const)
        : scaled?.violated === true
          ? ('scale' as const)
          : undefined
  const hunt = tally.summary()
  const memory = await memoryOf(candidate, runs[0])
  return {
    name: candidate.name,
    kind: candidate.kind,
    verdict: failed === undefined ? heldBy(tally) : 'violated',
    ...(failed === undefined ? {} : { failed }),
    hunt,
    ...(tally.violation === undefined ? {} : { violation: tally.violation.report }),
    runs,
    scale: scaled?.scale ?? [],
    binds: scaled?.binds ?? [],
    ...(memory === undefined ? {} : { memory }),
  }
}

/** Nothing failed; whether anything was looked at. */
function heldBy({ rows }: Tally): HuntVerdict {
  return rows.some(({ reaches, verdict }) => reaches && verdict === 'held') ? 'held' : 'inconclusive'
}

function isViolated({ verdict }: RunReport): boolean {
  return verdict === 'violated'
}

function commandLine({ files, options, seed, settings }: JudgePlan): string {
  const flag = (name: string, value: number | string | undefined): string[] =>
    value === undefined ? [] : [name, String(value)]
  const { budget, workers, executions, operations, cpus, topology, scenario = [] } = options
  return [
    'mmtorture judge',
    ...files.map((file) => (/[\\/]/.test(file) ? relative('', file) : file)),
    ...flag('--budget', budget === DEFAULT_BUDGET ? undefined : budget),
    ...['--seed', String(seed)],
    ...flag('--workers', workers),
    ...flag('--executions', executions),
    ...flag('--operations', operations),
    ...flag('--cpus', cpus?.join(',')),
    ...flag('--topology', topology),
    ...scenario.flatMap((name) => ['--scenario', name]),
    ...settings.flatMap((setting) => ['--config', setting]),
  ]
    .map((word, index) => (index === 0 ? word : shellQuote(word)))
    .join(' ')
}
