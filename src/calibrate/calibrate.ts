// Measures this machine and makes its topology, which `--topology host` reads once it is written. Leaves out the loops
// that are timed: src/machine/host.
import { availableParallelism, cpus } from 'node:os'
import { relative, resolve } from 'node:path'
import { measureHost } from './measure.ts'
import { hostStructure } from '../machine/host/structure.ts'
import { type HostCalibration, hostTopology, type Measured } from './host_topology.ts'
import { type CalibrationReport } from './report.ts'
import { figureOf } from './figure.ts'
import { duration } from '../base/text.ts'
import { shellQuote } from '../base/shell.ts'
import { UsageError } from '../base/errors.ts'
import type { Conduct } from '../base/conduct.ts'
import {
  checkTopology,
  DEFAULT_TOPOLOGY,
  findTopology,
  HOST,
  HOST_FILE,
  MOST_CPUS,
} from '../catalog/topologies.ts'

/** ns: a sample of 0.2 ms is then off by one per cent. */
const COARSEST = 2000

/**
 * Measures this machine; the report holds the topology, for the caller to write to `file`. undefined: the signal came
 * first. Throws UsageError where nothing can be measured.
 */
export async function calibrate(file: string, conduct: Conduct = {}): Promise<CalibrationReport | undefined> {
  const { signal = new AbortController().signal, progress = () => {} } = conduct
  const structure = hostStructure(cpus().length)
  refuseUnfit(structure.cpus, availableParallelism())
  const measured = await measureHost(structure, availableParallelism(), progress, signal)
  if (measured === undefined) return undefined
  refuseUnmeasured(measured)
  return reportOf(measured, calibrationOf(measured, structure, file), file)
}

/** Throws UsageError for a machine of which no topology can be made. */
export function refuseUnfit(all: number, available: number): void {
  if (available < 2)
    throw new UsageError(
      '--calibrate: this process has one CPU, and what a line takes from one CPU to another cannot ' +
        'be measured on it; choose a topology of mmtorture list topologies.',
    )
  if (all > MOST_CPUS)
    throw new UsageError(
      `--calibrate: this machine has ${all} CPUs, more than the ${MOST_CPUS} that a kernel can have; ` +
        'choose a topology of mmtorture list topologies.',
    )
}

/** Throws UsageError for samples that say nothing. */
export function refuseUnmeasured({ resolution, transfers }: Measured): void {
  if (resolution > COARSEST)
    throw new UsageError(
      `--calibrate: the clock of this host goes in steps of ${duration(resolution)}, too coarse to ` +
        `time accesses (at most ${duration(COARSEST)}); choose a topology of mmtorture list topologies.`,
    )
  if (transfers.every((rounds) => rounds.length === 0))
    throw new UsageError(
      '--calibrate: no two threads ran on two CPUs at the same time, so no transfer was measured; ' +
        'run it again when the machine is idle.',
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
