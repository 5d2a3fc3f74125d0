// From what stopped a machine to a Failure in the kernel's words: a BUG, a soft lockup, a setup that did not succeed.
// Leaves out noticing it (machine.ts) and printing it (failure.ts).
import { bugText } from '../../inspect/bug.ts'
import { UsageError } from '../../base/errors.ts'
import type { KernelImage } from '../../kbuild/index.ts'
import type { MachineView } from '../../inspect/symbols.ts'
import type { CpuState, Failure } from '../../inspect/failure.ts'
import type { KernelBugArguments } from './protocol.ts'

/** The failure for machine_bug(kind, a, b) on CPU `cpu`. */
export function bugFailure(
  view: MachineView,
  oracle: Int32Array,
  cpu: number,
  bug: KernelBugArguments,
  cpus: readonly CpuState[],
): Failure {
  const text = bugText(view, oracle, bug, cpus[cpu].stack)
  const at = text.function === undefined ? '' : ` in ${text.function}`
  const why = text.reason === undefined ? '' : `: ${text.reason}`
  return {
    kind: text.kind === 'scenario' ? 'scenario' : 'bug',
    message: text.kind === 'bug' ? `CPU ${cpu}: ${text.message}${at}${why}` : text.message,
    details: text.dump,
    cpus,
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
  const tooFewTasks = -errno === symbols['EAGAIN'] && symbols['TASKS_WANTED'] < symbols['MOST_TASKS']
  if (-errno !== (symbols['ENOMEM'] ?? 12) && !tooFewTasks) {
    const names = Object.keys(symbols).filter((key) => /^E[A-Z0-9]+$/.test(key))
    const name = names.find((key) => symbols[key] === -errno) ?? `errno ${-errno}`
    return new UsageError(`${scenario}: its setup failed with ${name}.`)
  }
  return new UsageError(
    config.FAIL_ALLOC > 0
      ? `FAIL_ALLOC=${config.FAIL_ALLOC} fails an allocation of the scenario's setup; choose a greater number.`
      : `MEMORY=${config.MEMORY} is too small for this scenario on ${cpus} ` +
          `CPU${cpus === 1 ? '' : 's'}: give it more with --config MEMORY=SIZE.`,
  )
}
