// `mmtorture hunt`: hunts, printed. Leaves out what a hunt is: src/hunt.
import { checkFolder, checkWritable, DEFAULT_OUT, progress, writeReport } from '../../base/output.ts'
import { type ListedChoices, variantsOf } from '../../catalog/variants.ts'
import { huntPlans } from '../../hunt/hunt.ts'
import { type HuntChoices, huntSettingsShown, planHunts } from '../../hunt/plan.ts'
import type { HuntReport } from '../../hunt/report.ts'
import { huntCsv } from '../../report/csv.ts'
import { formatHuntSweep } from '../../report/hunt_sweep.ts'
import { formatHunt, headingSettings } from '../../report/hunt_text.ts'

/** The options as commander parsed them. */
export interface HuntArguments extends Omit<HuntChoices, keyof ListedChoices>, ListedChoices {
  readonly baseline?: string
  /** `-`: stdout. */
  readonly json?: string
  readonly csv?: string
}

/**
 * Hunts and prints; returns the exit status: 0 held, 1 violated, 130 interrupted.
 * @param signal ends the hunt early; what is known is reported
 */
export async function huntCommandLine(
  names: readonly string[],
  options: HuntArguments,
  signal: AbortSignal,
): Promise<number> {
  const out = options.out ?? DEFAULT_OUT
  const plans = variantsOf({ ...options, out }).flatMap((variant) => planHunts(names, variant))
  checkWritable('hunt', options)
  checkFolder(out)
  const { hunted, sweep } = await huntPlans(plans, { signal, progress }, options.baseline)
  const single = plans.length === 1 && plans[0].configs.length === 1 ? hunted[0] : undefined
  const document = `${JSON.stringify(single?.report ?? sweep, null, 2)}\n`
  const text =
    single === undefined
      ? formatHuntSweep(sweep)
      : formatHunt(single.report, single.descriptions, settingsOf(single.report), options.verbose ?? false)
  const failures = hunted.flatMap(({ unwritten }) => unwritten)
  await writeReport('hunt', { document, text, csv: huntCsv(sweep) }, options, { failures })
  if (sweep.interrupted) return 130
  return { held: 0, violated: 1, inconclusive: 2 }[sweep.verdict]
}

/** What the configuration is, unless it goes without saying. */
function settingsOf({ config, cpus }: HuntReport): string[] {
  return headingSettings(config, huntSettingsShown(config, cpus))
}
