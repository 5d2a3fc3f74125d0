// `mmtorture scale`: curves over CPUs, printed; or a calibration of this machine. Leaves out what a point is:
// src/scale.
import { checkWritable, progress, writeReport } from '../../base/output.ts'
import { type ListedChoices, variantsOf } from '../../catalog/variants.ts'
import { scaleCsv } from '../../report/csv.ts'
import { formatScale } from '../../report/scale_text.ts'
import { planScale, type ScaleChoices, scalePlans } from '../../scale/scale.ts'

/** The options as commander parsed them. */
export interface ScaleArguments
  extends Omit<ScaleChoices, keyof ListedChoices>, Omit<ListedChoices, 'scheduler'> {
  readonly baseline?: string
  /** Measures this machine instead of running a scenario. */
  readonly calibrate?: boolean
  /** `-`: stdout. */
  readonly json?: string
  readonly csv?: string
  readonly out?: string
}

/**
 * Runs and prints, or measures this machine; returns the exit status: 0 held, 1 violated, 130 interrupted.
 * @param signal ends the sweep early; what was done is reported
 */
export async function scaleCommand(
  name: string | undefined,
  options: ScaleArguments,
  signal: AbortSignal,
): Promise<number> {
  if (options.calibrate) {
    const { calibrateCommand } = await import('./calibrate.ts')
    return calibrateCommand(name, options, signal)
  }
  const plans = variantsOf(options).map((variant) => planScale(name, variant))
  checkWritable('scale', options)
  const report = await scalePlans(plans, { signal, progress }, options.baseline)
  const document = `${JSON.stringify(report, null, 2)}\n`
  await writeReport('scale', { document, text: formatScale(report), csv: scaleCsv(report) }, options)
  if (report.interrupted) return 130
  return report.verdict === 'held' ? 0 : 1
}
