// `mmtorture replay FILE`: the violation of a replay file again, printed. Leaves out replaying: src/hunt/replay.ts.
import { checkWritable, writeReport } from '../../base/output.ts'
import { plural } from '../../base/text.ts'
import { switchesOf } from '../../explore/segments.ts'
import { replayRecorded } from '../../hunt/replay.ts'
import { formatViolation } from '../../report/hunt_text.ts'

/** The options as commander parsed them. */
export interface ReplayArguments {
  readonly verbose?: boolean
  /** `-`: stdout. */
  readonly json?: string
}

/**
 * Replays and prints; returns 1, since the violation is there again.
 * Throws UsageError (status 2) for a file that cannot be read, and for the first difference.
 */
export async function replayCommand(path: string, options: ReplayArguments): Promise<number> {
  checkWritable('replay', options)
  const verbose = options.verbose ?? false
  const { report, description, file } = await replayRecorded(path, verbose)
  const document = `${JSON.stringify(report, null, 2)}\n`
  const { steps, sizes } = file
  const heading =
    `${file.scenario}: replay of ${plural(steps, 'step')} and ` +
    `${plural(switchesOf(file.schedule.flat()), 'switch', 'switches')} ` +
    `on ${plural(sizes.cpus, 'CPU')}${report.sameImage ? '' : ', on another kernel than it was recorded on'}\n\n`
  const text = heading + formatViolation(report.violation, description, verbose)
  await writeReport('replay', { document, text }, options)
  return 1
}
