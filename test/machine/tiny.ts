// The tiny image as kbuild would describe it, for tests of the machine without a kernel.
import { fileURLToPath } from 'node:url'
import { defaultConfig, type KernelImage } from '../../src/kbuild/index.ts'

/** What its CPUs do: the values of `memory[200]`. */
export const RUN = 0
export const BUG = 1
export const DIE = 2
export const THROW = 3
export const DEADLOCK = 4
export const FINISH = 5

export const tinyImage: KernelImage = {
  file: fileURLToPath(new URL('fixtures/tiny.mjs', import.meta.url)),
  hash: 'tiny',
  functions: [],
  declared: [],
  image: 'native',
  sites: [],
  bugs: {},
  config: defaultConfig(),
  scenario: '/scenarios/tiny.ts',
  symbols: {
    machine$stop: 64,
    machine$panic: 80,
    machine$nr_cpus: 96,
    machine$spin_budget: 97,
    machine$spin_patience: 105,
    machine$wait_timeout: 106,
    machine$seed: 98,
    machine$fail_alloc: 99,
    machine$mmlist_lock: 192,
    PERCPU: 1024,
    PERCPU_WORDS: 64,
    NR_CPUS: 64,
    percpu$wake: 2,
    percpu$parked_on: 4,
    percpu$current: 16,
    percpu$operations: 22,
    percpu$waiting_on: 24,
    percpu$held_count: 32,
    percpu$held_locks: 33,
    percpu$waiter_granted: 50,
    percpu$tlb: 60,
    BOOT_DATA: 8192,
    MEMORY_WORDS: 8208,
    STAT_WORDS: 8,
    BUG_PLAIN: 0,
    BUG_STOPPED: 2,
    PGFAULT: 0,
  },
}
