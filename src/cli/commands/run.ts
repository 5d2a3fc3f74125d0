// `mmtorture run`: a run or a sweep of runs, printed. Leaves out what a run is: src/run.
import { runCsv } from '../../report/csv.ts'
import { formatSweep } from '../../report/run_sweep.ts'
import { formatRun } from '../../report/run_text.ts'
import { checkWritable, progress, writeReport } from '../../base/output.ts'
import { type ListedChoices, variantsOf } from '../../catalog/variants.ts'
import { planRun, type RunChoices, runPlans, type Sweeping } from '../../run/run.ts'

/** The options as commander parsed them. */
export interface RunArguments extends Omit<RunChoices, keyof ListedChoices>, ListedChoices, Sweeping {
  /** `-`: stdout. */
  readonly json?: string
  readonly csv?: string
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
  const plans = variantsOf(options).map((variant) => planRun(name, variant))
  checkWritable('run', options)
  const sweep = await runPlans(plans, options, { signal, progress })
  const [row] = sweep.rows
  const single =
    plans.length === 1 && plans[0].configs.length === 1 && row?.repeats === undefined ? row : undefined
  const document = `${JSON.stringify(single ?? sweep, null, 2)}\n`
  const text = single ? formatRun(single) : formatSweep(sweep)
  await writeReport('run', { document, text, csv: runCsv(sweep) }, options)
  if (sweep.interrupted) return 130
  return sweep.verdict === 'held' ? 0 : 1
}
