/**
 * The environment of an image on the clock but for its accesses: the time, barriers and exceptions that take some, and
 * what the kernel tells of its locks. Nobody observes tables or objects here, and CPUs halt and wake by steps.
 */
import type { SteppedEnvironment } from '../../step/boot.ts'
import { KernelBug } from '../../step/bug.ts'
import type { LockClasses } from '../lock_classes.ts'
import type { ClockLocks } from './locks.ts'
import type { ClockRandom } from './random.ts'
import type { Hardware } from './topology.ts'

/** ns from a wake-up until the CPU that slept runs again. */
const WAKE_UP_NS = 2200
const PS_PER_NS = 1000

/** What the environment asks its machine. */
export interface EnvironmentMachine {
  readonly memory: Int32Array
  readonly oracle: Int32Array
  readonly stat: Float64Array
  readonly symbols: Readonly<Record<string, number>>
  /** The CPU that runs, and its time in picoseconds. */
  cpu(): number
  now(): number
  /** Whether time passes: not while the kernel boots. */
  isTimed(): boolean
  readonly lockClasses: LockClasses
  /** Lets picoseconds pass on the CPU that runs. */
  pass(time: number): void
  /** Whether anybody sleeps on the line of the word at `p`. */
  isSleptOn(p: number): boolean
}

/** Of the environment what is no access. */
export type ClockEnvironment = Omit<
  SteppedEnvironment,
  | 'S'
  | 'X'
  | 'this_cpu_read'
  | 'this_cpu_write'
  | 'this_cpu_add'
  | 'this_cpu_ptr'
  | 'private_load'
  | 'private_store'
>

export function environmentOf(
  machine: EnvironmentMachine,
  locks: ClockLocks,
  random: ClockRandom,
  costs: Hardware['costs'],
): ClockEnvironment {
  const { memory, oracle, stat, symbols } = machine
  const percpu = symbols['PERCPU']
  const percpuWords = symbols['PERCPU_WORDS']
  const reading = symbols['LOCK_READ']
  // From 1 on: a time of 0 stands for none.
  const nanoseconds = (): number => Math.floor(machine.now() / PS_PER_NS) + 1
  return {
    memory,
    oracle,
    stat,
    clock: nanoseconds,
    ktime_get_ns: nanoseconds,
    machine_bug: (kind, a, b) => {
      throw new KernelBug(kind, a, b)
    },
    per_cpu_ptr: (offset, cpu) => percpu + cpu * percpuWords + offset,
    smp_processor_id: () => machine.cpu(),
    smp_mb: () => machine.pass(costs.atomic),
    smp_wmb: () => {},
    smp_rmb: () => {},
    check_panic: () => {},
    smp_wake: () => {},
    smp_wake_one: () => {},
    kick_cpu: () => {},
    observe_table_locked: () => {},
    observe_table_unlocked: () => {},
    observe_table_read_done: () => {},
    observe_object_alloc: () => {},
    observe_object_free: () => {},
    observe_lock_wanted: (lock) => {
      if (machine.isTimed()) locks.wants(machine.cpu(), lock)
    },
    observe_lock_init: (lock, lockClass) => machine.lockClasses.set(lock, lockClass),
    observe_lock_acquire: (lock, _subclass, how) => {
      if (machine.isTimed()) locks.acquires(machine.cpu(), lock, (how & reading) !== 0)
    },
    observe_lock_release: (lock) => {
      if (machine.isTimed()) locks.releases(machine.cpu(), lock)
    },
    observe_turn: () => {},
    observe_exception: () => {
      if (machine.isTimed()) machine.pass(random.varied(costs.exception))
    },
    observe_woken: () => machine.pass(WAKE_UP_NS * PS_PER_NS),
    observe_wakes: () => machine.pass(costs.interruptSend),
    observe_contended: (lock) => machine.isSleptOn(lock),
    arch_random_below: (_pid, x, bound) => (x >>> 0) % bound,
    ndelay: (ns) => machine.pass(ns * PS_PER_NS),
  }
}
