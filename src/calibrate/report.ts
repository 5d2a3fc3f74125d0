// The document of `scale --calibrate --json`. Leaves out its text: src/report/calibration_text.ts.
import type { Figure } from './figure.ts'
import type { HostCalibration } from './host_topology.ts'

/** What was measured, and where the topology was written. */
export interface CalibrationReport extends HostCalibration {
  readonly schema: 'mmtorture/calibration@1'
  /** Where the topology was written. */
  readonly file: string
  /** The smallest step of the host's clock, in ns. */
  readonly clockStep: number
  /** ns of a dependent load, by working set. */
  readonly loads: readonly (Figure & { readonly bytes: number })[]
  /** How to use it. */
  readonly command: string
}
