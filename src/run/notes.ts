// The sentences that tell a reader of a run's figures what lies behind them: the convoy of a FIFO lock, sampled times,
// too short a window. Leaves out figures that speak for themselves.
import type { RunReport } from './report.ts'
import type { SweepRow } from './sweep.ts'
import { percent, plural } from '../base/text.ts'

/** A note: what holds of every such run, and what was measured in this one. */
export interface Note {
  readonly general: string
  readonly measured?: string
}

type Figures = Omit<RunReport, 'notes'>

/** Waiters for spinlocks in more than this share of the samples make a convoy. */
const CONVOY_SHARE = 0.1

/** The notes for a report. */
export function runNotes(report: Figures): Note[] {
  return [...convoy(report), ...sampling(report), ...shortWindow(report)]
}

/** From this load of each core on, something else is at work. */
const BUSY = 0.75
/** Repeats that differ by more than this part of their median are no measurement. */
const WIDE = 0.1

/**
 * Warnings that the machine was busy: others had work before the first run, or the repeats of a row differ.
 * @param load the load average of a minute before the first run; 0 where the system has none
 */
export function machineNotes(rows: readonly SweepRow[], labels: readonly string[], load: number): string[] {
  const cores = rows[0]?.cores ?? 1
  const wide = rows.flatMap(({ repeats }, index) =>
    repeats !== undefined && repeats.spread > WIDE ? [`${labels[index]} ${percent(repeats.spread)}`] : [],
  )
  return [
    ...(load >= BUSY * cores
      ? [
          `the machine is busy: before the first run its load average was ${load.toFixed(1)} on ` +
            `${plural(cores, 'core')}; ` +
            'rows may differ by what else runs here.',
        ]
      : []),
    ...(wide.length === 0
      ? []
      : [`repeats of a row differ by more than ${percent(WIDE)} of their median: ${wide.join(', ')}.`]),
  ]
}

/** A note as one text. */
export function noteText({ general, measured }: Note): string {
  return measured === undefined ? general : `${general} Here ${measured}`
}

function convoy({ config, cpus, cores, waits, locks }: Figures): Note[] {
  if (cpus <= cores || !['ticket', 'mcs', 'qspinlock'].includes(config.SPINLOCK)) return []
  const acquisitions = locks.reduce((sum, row) => sum + row.acquisitions, 0)
  const contentions = locks.reduce((sum, row) => sum + row.contentions, 0)
  const contended =
    acquisitions > 0 ? `, and ${percent(contentions / acquisitions)} of all acquisitions had to wait` : ''
  const measured =
    `${percent(waits.spinlocks)} of CPU time (${cpus} CPUs, ${cores} cores) went by waiting for spinlocks, ` +
    `${percent(waits.halted)} halted in waits of any kind${contended}.`
  const general =
    'ticket, mcs and qspinlock hand a lock over in FIFO order: with more CPUs than cores the next in ' +
    'line has mostly halted, and everybody ' +
    'behind waits until it has been woken and runs (a lock convoy); tas, ttas and pvqspinlock let a ' +
    'CPU that runs take a free lock.'
  return [{ general: waits.spinlocks < CONVOY_SHARE ? general : `lock convoy: ${general}`, measured }]
}

function sampling({ config }: Figures): Note[] {
  if (config.LOCK_STAT !== 'y') return []
  const holds =
    config.HOLDTIME_SAMPLE === 1
      ? 'and so is every hold'
      : `holds for one acquisition in ${config.HOLDTIME_SAMPLE} (HOLDTIME_SAMPLE), and holdtime-total ` +
        'is scaled up from these'
  return [{ general: `lock_stat: every wait is timed, ${holds}.` }]
}

function shortWindow({ seconds, failure, interrupted }: Figures): Note[] {
  if (failure !== undefined || interrupted || seconds === 0 || seconds >= 0.1) return []
  return [{ general: 'the window was shorter than 0.1 s: its rates are coarse.' }]
}
