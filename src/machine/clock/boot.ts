/** How the clock's memory comes to be: the kernel boots, then the scenario is set up, both in no time. */
import { SetupFailed } from '../../step/bug.ts'
import type { SteppedExports } from '../../step/boot.ts'

/** The layout symbols that boot needs. */
export const BOOT_SYMBOLS = [
  'BOOT_DATA',
  'machine$nr_cpus',
  'machine$spin_budget',
  'machine$wait_timeout',
  'machine$seed',
  'machine$pages',
  'machine$section',
  'machine$think',
  'machine$fail_alloc',
  'FAIL_ALLOC',
] as const

/** What seeds the program's random numbers: another seed of the clock must not make another program. */
const SCENARIO_SEED = 1
/** For how long somebody waits for a semaphore before others may not pass: 4 ms. */
const WAIT_TIMEOUT_NS = 4_000_000

/** What the scenario finds in the machine. */
export interface ScenarioOptions {
  /** Pages of the scenario, and ns of its critical section and of thinking; 0: the scenario's own. */
  readonly pages: number
  readonly section: number
  readonly think: number
  /** Words that the scenario finds at BOOT_DATA. */
  readonly bootData?: Int32Array
}

/** What boot asks its machine. */
export interface BootMachine {
  readonly memory: Int32Array
  readonly symbols: Readonly<Record<string, number>>
  readonly cpus: number
}

/** Runs a function of the image on CPU 0 in no time. */
export type RunAlone = <T>(start: (kernel: SteppedExports) => Generator<unknown, T>) => T

/** Boots the kernel; returns its memory as start_kernel left it. */
export function startKernel({ memory, symbols, cpus }: BootMachine, alone: RunAlone): Int32Array {
  memory[symbols['machine$nr_cpus']] = cpus
  memory[symbols['machine$spin_budget']] = 1
  memory[symbols['machine$wait_timeout']] = WAIT_TIMEOUT_NS
  memory[symbols['machine$fail_alloc']] = symbols['FAIL_ALLOC']
  alone((kernel) => kernel.start_kernel())
  return memory.slice()
}

/** Sets the scenario up on `booted`, what startKernel() returned. Throws SetupFailed. */
export function setUpScenario(
  { memory, symbols, cpus }: BootMachine,
  booted: Int32Array,
  { bootData, pages, section, think }: ScenarioOptions,
  alone: RunAlone,
): void {
  memory.set(booted)
  if (bootData !== undefined) memory.set(bootData, symbols['BOOT_DATA'])
  memory[symbols['machine$nr_cpus']] = cpus
  memory[symbols['machine$seed']] = SCENARIO_SEED
  memory[symbols['machine$pages']] = pages
  memory[symbols['machine$section']] = section
  memory[symbols['machine$think']] = think
  const ret = alone((kernel) => kernel.scenario_setup())
  if (ret < 0) throw new SetupFailed(ret)
}
