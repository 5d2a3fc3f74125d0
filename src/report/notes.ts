// The sentences that tell a reader of a run's figures what lies behind them: the convoy of a FIFO lock, sampled times, too few
// cores. Leaves out figures that speak for themselves.
import type { RunReport } from './run_report.ts'
import { percent } from './text.ts'

/** Waiters for a lock in more than this share of the looks make a convoy worth naming. */
const CONVOY_SHARE = 0.2

/** The notes for a report, without those it has. */
export function runNotes(report: Omit<RunReport, 'notes'>): string[] {
  return [...convoy(report), ...sampling(report), ...shortWindow(report)]
}

function convoy({ config, cpus, cores, waits, locks }: Omit<RunReport, 'notes'>): string[] {
  if (cpus <= cores || !['ticket', 'mcs'].includes(config.SPINLOCK)) return []
  const acquisitions = locks.reduce((sum, row) => sum + row.acquisitions, 0)
  const contentions = locks.reduce((sum, row) => sum + row.contentions, 0)
  const contended =
    acquisitions > 0 ? `; ${percent(contentions / acquisitions)} of all acquisitions had to wait` : ''
  const [worst] = Object.keys(waits.for)
  const measured =
    `${percent(waits.waiting)} of the looks found a CPU waiting${worst === undefined ? '' : `, mostly for ${worst}`}, ` +
    `${percent(waits.halted)} one that had halted${contended}`
  if (waits.waiting < CONVOY_SHARE)
    return [
      `${config.SPINLOCK} hands a lock over in FIFO order, which makes a convoy where more CPUs than cores contend for it; ` +
        `here few did: ${measured}.`,
    ]
  return [
    `lock convoy: ${config.SPINLOCK} hands a lock over in FIFO order, and with ${cpus} CPUs on ${cores} cores the next in line has ` +
      `mostly halted, so that everybody behind waits until it has been woken and runs: ${measured}. ` +
      'tas, ttas and qspinlock let a CPU that runs take a free lock instead.',
  ]
}

function sampling({ config }: Omit<RunReport, 'notes'>): string[] {
  if (config.LOCK_STAT !== 'y') return []
  const holds =
    config.HOLDTIME_SAMPLE === 1
      ? 'and so is every hold'
      : `holds for one acquisition in ${config.HOLDTIME_SAMPLE} (HOLDTIME_SAMPLE), and holdtime-total is scaled up from these`
  return [`lock_stat: every wait is timed, ${holds}.`]
}

function shortWindow({ seconds, failure, interrupted }: Omit<RunReport, 'notes'>): string[] {
  if (failure !== undefined || interrupted || seconds === 0 || seconds >= 0.1) return []
  return [`the window lasted only ${seconds} s: its rates are coarse.`]
}
