// `mmtorture judge FILE...`: judges, printed. Leaves out what a judgement is: src/judge.
import { checkFolder, checkWritable, DEFAULT_OUT, progress, writeReport } from '../../base/output.ts'
import { huntSettingsShown } from '../../hunt/plan.ts'
import { judgePlan } from '../../judge/judge.ts'
import { type JudgeChoices, planJudge } from '../../judge/plan.ts'
import { formatHunt, headingSettings } from '../../report/hunt_text.ts'
import { formatJudge } from '../../report/judge_text.ts'

/** The options as commander parsed them. */
export interface JudgeArguments extends JudgeChoices {
  /** `-`: stdout. */
  readonly json?: string
}

/**
 * Judges and prints; returns the exit status: 0 held, 1 violated, 2 inconclusive, 130 interrupted.
 * @param signal ends it early; what is known is reported
 */
export async function judgeCommand(
  files: readonly string[],
  options: JudgeArguments,
  signal: AbortSignal,
): Promise<number> {
  const out = options.out ?? DEFAULT_OUT
  const plan = planJudge(files, { ...options, out })
  checkWritable('judge', options)
  checkFolder(out)
  const { report, violations } = await judgePlan(plan, { signal, progress })
  const document = `${JSON.stringify(report, null, 2)}\n`
  const texts = violations.map((hunted) => {
    if (hunted === undefined) return undefined
    const { config, cpus } = hunted.report
    const settings = headingSettings(config, huntSettingsShown(config, cpus))
    return formatHunt(hunted.report, hunted.descriptions, settings)
  })
  const failures = violations.flatMap((hunted) => hunted?.unwritten ?? [])
  await writeReport('judge', { document, text: formatJudge(report, texts) }, options, { failures })
  if (report.interrupted) return 130
  return { held: 0, violated: 1, inconclusive: 2 }[report.verdict]
}
