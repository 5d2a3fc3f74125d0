// `mmtorture scale --calibrate`: measures this machine, writes its topology and prints what each figure is. Leaves out
// the measuring: src/calibrate.
import { join } from 'node:path'
import { UsageError } from '../../base/errors.ts'
import { checkWritable, DEFAULT_OUT, progress, writeReport } from '../../base/output.ts'
import { calibrate } from '../../calibrate/calibrate.ts'
import { HOST } from '../../catalog/topologies.ts'
import { formatCalibration } from '../../report/calibration_text.ts'
import { hyphenated } from '../arguments.ts'
import type { ScaleArguments } from './scale.ts'

/** Options that go with --calibrate. */
const TAKEN = ['calibrate', 'json', 'out']

/**
 * Measures, writes host.json, and prints what each figure is; returns the exit status: 0, or 130 if it was interrupted,
 * and then nothing is written. Throws UsageError where nothing can be measured.
 */
export async function calibrateCommand(
  name: string | undefined,
  options: ScaleArguments,
  signal: AbortSignal,
): Promise<number> {
  const other = Object.keys(options).find((option) => !TAKEN.includes(option))
  if (name !== undefined || other !== undefined)
    throw new UsageError(
      `--calibrate measures this machine and runs no scenario: ${name ?? `--${hyphenated(other!)}`} ` +
        'has no meaning with it; it goes with --json and --out.',
    )
  const file = join(options.out ?? DEFAULT_OUT, `${HOST}.json`)
  const { json } = options
  checkWritable(HOST, { json }, [file])
  const report = await calibrate(file, { signal, progress })
  if (report === undefined) return 130
  const document = `${JSON.stringify(report, null, 2)}\n`
  const files = new Map([[file, `${JSON.stringify(report.topology, null, 2)}\n`]])
  await writeReport(HOST, { document, text: formatCalibration(report) }, { json }, { files })
  return 0
}
