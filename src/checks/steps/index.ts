// The checks at every step of the stepped machine, by name, and the one observer that shows each of them the steps that concern it.
import { KIND_FLAGS, WRITES } from '../../machine/stepped/kinds.ts'
import type { Observer } from '../../machine/stepped/observer.ts'
import type { StepCheck, StepCheckKind } from './check.ts'
import { kcsan } from './kcsan.ts'
import { ledger } from './ledger.ts'
import { lockdep } from './lockdep.ts'
import { pageCounts } from './page_counts.ts'
import { pageTableCheck } from './page_table_check.ts'
import { pteTransitions } from './pte_transitions.ts'
import { tableOwner } from './table_owner.ts'
import { tlb } from './tlb.ts'
import { useAfterFree } from './use_after_free.ts'
import { Watch, type WatchedImage, type WatchedMachine } from './watch.ts'
import { WORD_CLASSES } from './words.ts'

export type { StepCheck, StepCheckKind } from './check.ts'
export { Watch, type WatchedImage, type WatchedMachine } from './watch.ts'

/** All checks at every step. The first that is broken by a step is the one that is reported. */
export const STEP_CHECKS: readonly StepCheckKind[] = [
  useAfterFree,
  tableOwner,
  pageCounts,
  pageTableCheck,
  tlb,
  ledger,
  pteTransitions,
  lockdep,
  kcsan,
]

/**
 * One observer for all checks but those named in `off` (names of STEP_CHECKS). Made once for a machine, before its first
 * execution. Its step() looks up the class of the word and calls only the checks which that class concerns.
 */
export function stepChecks(
  machine: WatchedMachine,
  image: WatchedImage,
  off: ReadonlySet<string> = new Set(),
): Observer {
  const watch = new Watch(machine, image)
  return new StepChecks(
    watch,
    STEP_CHECKS.filter(({ name }) => !off.has(name)).map((kind) => kind.create(watch)),
  )
}

type Step = Required<Pick<Observer, 'step'>>

class StepChecks implements Observer {
  readonly #watch: Watch
  readonly #checks: readonly StepCheck[]
  readonly #classOf: Uint8Array
  /** By class of word, twice: who sees reads, then who sees writes. */
  readonly #seers: readonly (readonly Step[])[]
  readonly #fences: readonly StepCheck[]
  readonly #tables: readonly StepCheck[]
  readonly #locks: readonly StepCheck[]
  #active = false

  constructor(watch: Watch, checks: readonly StepCheck[]) {
    this.#watch = watch
    this.#checks = checks
    this.#classOf = watch.map.classOf
    const seers: Step[][] = []
    for (const writes of [false, true])
      for (let word = 0; word < WORD_CLASSES; word++) {
        const concerned = checks.filter(
          (check) => (((writes ? check.writes : check.reads) >> word) & 1) !== 0,
        )
        const early = concerned.filter((check) => check.early === true)
        const late = concerned.filter((check) => check.early !== true)
        const follows = writes && ((watch.writes >> word) & 1) !== 0
        seers.push([...early, ...(follows ? [watch] : []), ...late] as Step[])
      }
    this.#seers = seers
    this.#fences = checks.filter((check) => check.fence !== undefined)
    this.#tables = checks.filter((check) => check.tableLocked !== undefined)
    this.#locks = checks.filter((check) => check.lockAcquire !== undefined)
  }

  begin(): void {
    this.#watch.begin()
    for (const check of this.#checks) check.begin()
    this.#active = true
  }

  step(
    entity: number,
    kind: number,
    addr: number,
    a: number,
    b: number,
    old: number,
    result: number,
    site: number,
  ): void {
    if (!this.#active) return
    const word = this.#classOf[addr]
    const list = this.#seers[(KIND_FLAGS[kind] & WRITES) !== 0 ? word + WORD_CLASSES : word]
    for (let i = 0; i < list.length; i++) list[i].step(entity, kind, addr, a, b, old, result, site)
  }

  fence(entity: number, fence: number): void {
    if (this.#active) for (const check of this.#fences) check.fence!(entity, fence)
  }

  tableLocked(entity: number, table: number): void {
    if (!this.#active) return
    for (const check of this.#tables) check.tableLocked!(entity, table)
    this.#watch.tableLocked(entity, table)
  }

  tableUnlocked(entity: number, table: number): void {
    if (!this.#active) return
    for (const check of this.#tables) check.tableUnlocked!(entity, table)
    this.#watch.tableUnlocked(entity, table)
  }

  lockAcquire(entity: number, lock: number, subclass: number, how: number): void {
    if (this.#active) for (const check of this.#locks) check.lockAcquire!(entity, lock, subclass, how)
  }

  lockRelease(entity: number, lock: number): void {
    if (this.#active) for (const check of this.#locks) check.lockRelease!(entity, lock)
  }

  end(): void {
    // What follows an execution (teardown) is no part of it.
    this.#active = false
    for (const check of this.#checks) check.end?.()
  }
}
