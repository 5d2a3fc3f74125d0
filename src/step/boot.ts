/** What a stepped image exports, and the environment that its boot() is given by a machine. */

/** Entry functions of a stepped image: generators, which yield where another CPU goes first. */
export interface SteppedExports {
  start_kernel(): Generator<unknown, void>
  scenario_setup(): Generator<unknown, number>
  cpu_run(): Generator<unknown, void>
  do_IRQ(): Generator<unknown, void>
  exit_all_tasks(): Generator<unknown, void>
}

/**
 * The environment: arch/machine.ts of the kernel under test without what only a thread a CPU needs, steps, and what is
 * told to observers.
 */
export interface SteppedEnvironment {
  memory: Int32Array
  oracle: Int32Array
  stat: Float64Array
  /** Monotonic time: steps, or ns of the clock. */
  clock(): number
  machine_bug(kind: number, a: number, b: number): never
  /** Announces a step. True: another CPU goes first, and the generator yields. */
  S(kind: number, addr: number, a: number, b: number, site: number): boolean
  /** Performs the step that was announced; what the access returns. */
  X(): number
  this_cpu_read(offset: number): number
  this_cpu_write(offset: number, value: number): void
  this_cpu_add(offset: number, value: number): void
  this_cpu_ptr(offset: number): number
  private_load(p: number): number
  private_store(p: number, value: number): void
  per_cpu_ptr(offset: number, cpu: number): number
  smp_processor_id(): number
  smp_mb(): void
  smp_wmb(): void
  smp_rmb(): void
  check_panic(): void
  smp_wake(p: number): void
  smp_wake_one(p: number): void
  kick_cpu(cpu: number): void
  observe_table_locked(table: number, first: number, end: number, mode: number): void
  observe_table_unlocked(table: number, first: number, end: number, mode: number): void
  observe_table_read_done(ptep: number, orig: number): void
  observe_object_alloc(object: number): void
  observe_object_free(object: number): void
  observe_lock_init(lock: number, lockClass: number): void
  observe_lock_acquire(lock: number, subclass: number, how: number): void
  observe_lock_release(lock: number): void
  observe_lock_wanted(lock: number): void
  observe_exception(): void
  observe_turn(): void
  observe_woken(): void
  observe_wakes(): void
  ndelay(ns: number): void
  ktime_get_ns(): number
  /** What task number `pid` draws, 0 to bound - 1, when its own sequence has come to `x`. */
  arch_random_below(pid: number, x: number, bound: number): number
  observe_contended(lock: number): boolean
}

export type SteppedBoot = (env: SteppedEnvironment) => SteppedExports

/** Throws Error when the image lacks one of the layout symbols that a machine needs. */
export function requireSymbols(symbols: Readonly<Record<string, number>>, names: readonly string[]): void {
  for (const name of names)
    if (symbols[name] === undefined) throw new Error(`the image has no symbol ${name}`)
}
