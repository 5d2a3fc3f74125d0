// `mmtorture scale --calibrate`: measures this machine and writes its topology, which `--topology host` then reads. Leaves out the
// measuring: src/machine/host; and what is made of it: src/calibrate.
import { availableParallelism, cpus } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { measureHost } from './measure.ts'
import { hostStructure } from '../machine/host/structure.ts'
import { type HostCalibration, hostTopology, type Measured } from './host_topology.ts'
import { type CalibrationReport, formatCalibration } from '../report/calibration_text.ts'
import { figureOf } from './figure.ts'
import { duration } from '../base/text.ts'
import { shellQuote } from '../base/shell.ts'
import { UsageError } from '../base/errors.ts'
import { DEFAULT_OUT, progress, writeResult, writeStdout } from '../base/output.ts'
import { DEFAULT_TOPOLOGY, type ScaleArguments } from '../scale/scale.ts'
import { checkTopology, findTopology, HOST, HOST_FILE, MOST_CPUS } from '../catalog/topologies.ts'

/** Options that go with --calibrate. */
const TAKEN = ['calibrate', 'json', 'out']
/** ns: a sample of 0.2 ms is then off by one per cent. */
const COARSEST = 2000

/**
 * Measures, writes host.json, and prints what each figure is; returns the exit status: 0, or 130 if it was interrupted, and then nothing
 * is written. Throws UsageError where nothing can be measured.
 */
export async function calibrateCommand(
  name: string | undefined,
  options: ScaleArguments,
  signal: AbortSignal,
): Promise<number> {
  const other = Object.keys(options).find((option) => !TAKEN.includes(option))
  if (name !== undefined || other !== undefined)
    throw new UsageError(
      `--calibrate measures this machine and runs no scenario: ${name ?? `--${hyphenated(other!)}`} has no meaning with it; it goes with --json and --out.`,
    )
  const structure = hostStructure(cpus().length)
  refuseUnfit(structure.cpus, availableParallelism())
  const measured = await measureHost(structure, availableParallelism(), progress, signal)
  if (measured === undefined) return 130
  refuseUnmeasured(measured)
  const file = join(options.out ?? DEFAULT_OUT, `${HOST}.json`)
  const calibration = calibrationOf(measured, structure, file)
  writeResult(file, `${JSON.stringify(calibration.topology, null, 2)}\n`)
  const report = reportOf(measured, calibration, file)
  const document = `${JSON.stringify(report, null, 2)}\n`
  if (options.json !== undefined && options.json !== '-') writeResult(options.json, document)
  await writeStdout(options.json === '-' ? document : formatCalibration(report))
  return 0
}

/** Throws UsageError for a machine of which no topology can be made. */
export function refuseUnfit(all: number, available: number): void {
  if (available < 2)
    throw new UsageError(
      '--calibrate: this process has one CPU, and what a line takes from one CPU to another cannot be measured on it; choose a topology of mmtorture list topologies.',
    )
  if (all > MOST_CPUS)
    throw new UsageError(
      `--calibrate: this machine has ${all} CPUs, more than the ${MOST_CPUS} that a kernel can have; choose a topology of mmtorture list topologies.`,
    )
}

/** Throws UsageError for samples that say nothing. */
export function refuseUnmeasured({ resolution, transfers }: Measured): void {
  if (resolution > COARSEST)
    throw new UsageError(
      `--calibrate: the clock of this host goes in steps of ${duration(resolution)}, too coarse to time accesses (at most ${duration(COARSEST)}); choose a topology of mmtorture list topologies.`,
    )
  if (transfers.every((rounds) => rounds.length === 0))
    throw new UsageError(
      '--calibrate: no two threads ran on two CPUs at the same time, so no transfer was measured; run it again when the machine is idle.',
    )
}

function calibrationOf(
  measured: Measured,
  structure: ReturnType<typeof hostStructure>,
  file: string,
): HostCalibration {
  const calibration = hostTopology(measured, structure, findTopology(DEFAULT_TOPOLOGY).topology, {
    model: cpus()[0].model.trim() || process.arch,
    node: process.version,
    date: new Date().toISOString().slice(0, 'YYYY-MM-DD'.length),
  })
  // What is written can be read.
  checkTopology(calibration.topology, file)
  return calibration
}

function reportOf(measured: Measured, calibration: HostCalibration, file: string): CalibrationReport {
  const where = resolve(file) === resolve(HOST_FILE) ? HOST : relative('', file)
  return {
    schema: 'mmtorture/calibration@1',
    file,
    clockStep: measured.resolution,
    ...calibration,
    loads: measured.chases.map(({ bytes, ns }) => ({ bytes, ...figureOf(ns) })),
    command: `mmtorture scale --topology ${shellQuote(where)}`,
  }
}

/** `simulatedTime` as it is typed. */
function hyphenated(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
