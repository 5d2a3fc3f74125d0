// From what stopped a machine to a Failure in the kernel's words: a BUG, a soft lockup, a setup that did not succeed. Leaves out
// noticing it (machine.ts) and printing it (failure.ts).
import { oracleReport } from '../../inspect/oracle_report.ts'
import { UsageError } from '../../base/errors.ts'
import { HELPERS } from '../../inspect/stack.ts'
import type { KernelImage } from '../../kbuild/index.ts'
import type { SymbolTable, MachineView } from '../../inspect/symbols.ts'
import type { CpuState, Failure } from '../../inspect/failure.ts'
import { dumpPage } from '../../inspect/page_dump.ts'
import type { KernelBugArguments } from './protocol.ts'

/** The failure for machine_bug(kind, a, b) on CPU `cpu`. */
export function bugFailure(
  view: MachineView,
  oracle: Int32Array,
  cpu: number,
  bug: KernelBugArguments,
  cpus: readonly CpuState[],
): Failure {
  const { symbols } = view
  const frame = cpus[cpu].stack.find((entry) => !HELPERS.has(entry.function))
  const place = frame === undefined ? '' : ` at ${frame.file}:${frame.line} in ${frame.function}`
  switch (symbolName(symbols, 'BUG_', bug.kind)) {
    case 'BUG_PAGE':
      return {
        kind: 'bug',
        message: `CPU ${cpu}: kernel BUG${place}: VM_BUG_ON_PAGE`,
        details: dumpPage(view, bug.a),
        cpus,
      }
    case 'BUG_ORACLE':
      return { kind: 'bug', message: oracleReport(oracle, bug.a, symbols), details: [], cpus }
    case 'BUG_SCENARIO': {
      const reason = symbolName(symbols, 'SETUP_', bug.a) ?? `reason ${bug.a}`
      return { kind: 'scenario', message: `the scenario cannot go on${place}: ${reason}`, details: [], cpus }
    }
    default:
      return { kind: 'bug', message: `CPU ${cpu}: kernel BUG${place}`, details: [], cpus }
  }
}

/** The failure for CPU `cpu`, which made no progress for `limit` milliseconds. */
export function lockupFailure(cpu: number, limit: number, cpus: readonly CpuState[]): Failure {
  const { task, waitsFor } = cpus[cpu]
  const comm = task ? ` [program ${task.program}:${task.pid}]` : ''
  const why = waitsFor === undefined ? 'it runs and waits for nothing' : `it waits for ${waitsFor}`
  return {
    kind: 'soft lockup',
    message: `watchdog: BUG: soft lockup - CPU#${cpu} stuck for ${Math.round(limit / 1000)}s!${comm}`,
    details: [`CPU ${cpu}: ${why}`],
    cpus,
  }
}

/** The user's error behind a scenario_setup() that returned `-errno`. */
export function setupFailure(image: KernelImage, cpus: number, errno: number): UsageError {
  const { config, symbols, scenario } = image
  // A machine of little memory has room for few tasks, too.
  const tooFewTasks = -errno === symbols['EAGAIN'] && symbols['NR_TASKS'] < symbols['MOST_TASKS']
  if (-errno !== (symbols['ENOMEM'] ?? 12) && !tooFewTasks) {
    const names = Object.keys(symbols).filter((key) => /^E[A-Z0-9]+$/.test(key))
    const name = names.find((key) => symbols[key] === -errno) ?? `errno ${-errno}`
    return new UsageError(`${scenario}: its setup failed with ${name}.`)
  }
  return new UsageError(
    config.FAIL_ALLOC > 0
      ? `FAIL_ALLOC=${config.FAIL_ALLOC} fails an allocation of the scenario's setup; choose a greater number.`
      : `MEMORY=${config.MEMORY} is too small for this scenario on ${cpus} CPU${cpus === 1 ? '' : 's'}: give it more with --config MEMORY=SIZE.`,
  )
}

/** The constant with the given prefix and value. */
function symbolName(symbols: SymbolTable, prefix: string, value: number): string | undefined {
  return Object.keys(symbols).find((name) => name.startsWith(prefix) && symbols[name] === value)
}
