// `mmtorture run`: a run or a sweep of runs, printed. Leaves out what a run is: src/run.
import { formatSweep } from '../../report/run_sweep.ts'
import { formatRun } from '../../report/run_text.ts'
import { checkWritable, progress, writeReport } from '../../base/output.ts'
import { planRun, type RunChoices, runPlan } from '../../run/run.ts'

/** The options as commander parsed them. */
export interface RunArguments extends RunChoices {
  /** `-`: stdout. */
  readonly json?: string
  readonly out?: string
}

/**
 * Runs and prints; returns the exit status: 0 held, 1 violated, 130 interrupted.
 * @param signal ends the run early; what was done is reported
 */
export async function runCommand(
  name: string | undefined,
  options: RunArguments,
  signal: AbortSignal,
): Promise<number> {
  const plan = planRun(name, options)
  checkWritable('run', options)
  const sweep = await runPlan(plan, { signal, progress })
  const single = plan.configs.length === 1 ? sweep.rows[0] : undefined
  const document = `${JSON.stringify(single ?? sweep, null, 2)}\n`
  const text = single ? formatRun(single) : formatSweep(sweep)
  await writeReport('run', { document, text }, options)
  if (sweep.interrupted) return 130
  return sweep.verdict === 'held' ? 0 : 1
}
