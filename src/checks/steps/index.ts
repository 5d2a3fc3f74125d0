// The checks at every step of the stepped machine, by name, and the one observer that shows each of them the steps that
// concern it.
import { KIND_FLAGS, WRITES } from '../../step/kinds.ts'
import type { Observer } from '../../step/observer.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { bounds } from './bounds.ts'
import { enomem } from './enomem.ts'
import { Kcsan, kcsan, kcsanStrict } from './kcsan.ts'
import { ledger } from './ledger.ts'
import { lockdep } from './lockdep.ts'
import { pageCounts } from './page_counts.ts'
import { pageContents } from './page_contents.ts'
import { pageLock } from './page_lock.ts'
import { pageTableCheck } from './page_table_check.ts'

import { pteTransitions } from './pte_transitions.ts'
import { rcu } from './rcu.ts'
import { swapDevice } from './swap_device.ts'
import { swapMap } from './swap_map.ts'
import { tableOwner } from './table_owner.ts'
import { tlb } from './tlb.ts'
import { UseAfterFree, useAfterFree } from './use_after_free.ts'
import type { WatchedImage } from './sites.ts'
import { Watch, type WatchedMachine } from './watch.ts'
import { WORD_CLASSES } from './words.ts'

export type { StepCheck, StepCheckKind } from './check.ts'
export { MissingName, Sites, type WatchedImage } from './sites.ts'
export { Watch, type WatchedMachine } from './watch.ts'

/** All checks at every step. The first that is broken by a step is the one that is reported. */
export const STEP_CHECKS: readonly StepCheckKind[] = [
  useAfterFree,
  bounds,
  tableOwner,
  pageCounts,
  pageTableCheck,
  tlb,
  ledger,
  pteTransitions,
  pageLock,
  swapMap,
  swapDevice,
  pageContents,
  enomem,
  rcu,
  lockdep,
  kcsanStrict,
  kcsan,
]

/**
 * One observer for all checks but those named in `off` (names of STEP_CHECKS). Made once for a machine, before its
 * first execution. Its step() looks up the class of the word and calls only the checks which that class concerns.
 */
export function stepChecks(
  machine: WatchedMachine,
  image: WatchedImage,
  off: ReadonlySet<string> = new Set(),
): Observer {
  const watch = new Watch(machine, image)
  return new StepChecks(
    watch,
    STEP_CHECKS.filter(
      ({ name, insteadOf }) => !off.has(name) && (insteadOf === undefined || off.has(insteadOf)),
    ).map((kind) => kind.create(watch)),
  )
}

const FIRST = 1
const LISTED = 2
const LAST = 4

type Seer = Pick<StepCheck, 'step'>

/** The step that the checks are shown. */
class TakenStep implements Step {
  context = 0
  kind = 0
  addr = 0
  a = 0
  b = 0
  old = 0
  result = 0
  site = 0
}

class StepChecks implements Observer {
  readonly #watch: Watch
  readonly #checks: readonly StepCheck[]
  readonly #classOf: Uint8Array
  /**
   * By class of word, twice: who sees reads, then who sees writes. The first and the last of all checks see the most,
   * and are called by name, which is several times as fast as through a list.
   */
  readonly #seers: readonly (readonly Seer[])[]
  readonly #first: UseAfterFree | undefined
  readonly #last: Kcsan | undefined
  /** By class of word, twice: 1 where #first, 2 where #seers, 4 where #last has something to see. */
  readonly #seen: Uint8Array
  readonly #fences: readonly StepCheck[]
  readonly #tables: readonly StepCheck[]
  readonly #locks: readonly StepCheck[]
  readonly #step = new TakenStep()
  #active = false

  constructor(watch: Watch, checks: readonly StepCheck[]) {
    this.#watch = watch
    this.#checks = checks
    this.#classOf = watch.map.classOf
    const seers: Seer[][] = []
    const [first] = checks
    const last = checks.at(-1)
    if (first instanceof UseAfterFree) this.#first = first
    if (last instanceof Kcsan) this.#last = last
    const listed = checks.filter((check) => check !== this.#first && check !== this.#last)
    this.#seen = new Uint8Array(2 * WORD_CLASSES)
    for (const writes of [false, true])
      for (let word = 0; word < WORD_CLASSES; word++) {
        const concerns = (check: StepCheck): boolean =>
          (((writes ? check.writes : check.reads) >> word) & 1) !== 0
        const concerned = listed.filter(concerns)
        const early = concerned.filter((check) => check.early === true)
        const late = concerned.filter((check) => check.early !== true)
        const follows = writes && ((watch.writes >> word) & 1) !== 0
        const list = [...early, ...(follows ? [watch] : []), ...late]
        const { length } = seers
        if (this.#first !== undefined && concerns(this.#first)) this.#seen[length] |= FIRST
        if (list.length > 0) this.#seen[length] |= LISTED
        if (this.#last !== undefined && concerns(this.#last)) this.#seen[length] |= LAST
        seers.push(list)
      }
    this.#seers = seers
    this.#fences = checks.filter((check) => check.fence !== undefined)
    this.#tables = checks.filter(
      (check) => check.tableLocked !== undefined || check.tableUnlocked !== undefined,
    )
    this.#locks = checks.filter(
      ({ lockInit, lockAcquire, lockRelease }) => (lockInit ?? lockAcquire ?? lockRelease) !== undefined,
    )
  }

  begin(): void {
    this.#watch.begin()
    for (const check of this.#checks) check.begin()
    this.#active = true
  }

  step(
    context: number,
    kind: number,
    addr: number,
    a: number,
    b: number,
    old: number,
    result: number,
    site: number,
  ): void {
    if (!this.#active) return
    const word = this.#classOf[addr] + ((KIND_FLAGS[kind] & WRITES) === 0 ? 0 : WORD_CLASSES)
    const seen = this.#seen[word]
    if (seen === 0) return
    const step = this.#step
    step.context = context
    step.kind = kind
    step.addr = addr
    step.a = a
    step.b = b
    step.old = old
    step.result = result
    step.site = site
    if ((seen & FIRST) !== 0) this.#first!.step(step)
    if ((seen & LISTED) !== 0) {
      const list = this.#seers[word]
      for (let i = 0; i < list.length; i++) list[i].step(step)
    }
    if ((seen & LAST) !== 0) this.#last!.step(step)
  }

  fence(context: number, fence: number): void {
    if (this.#active) for (const check of this.#fences) check.fence!(context, fence)
  }

  tableLocked(context: number, table: number, first: number, end: number, mode: number): void {
    if (!this.#active) return
    for (const check of this.#tables) check.tableLocked?.(context, table, first, end, mode)
    this.#watch.tableLocked(context, table, first, end, mode)
  }

  tableUnlocked(context: number, table: number, first: number, end: number, mode: number): void {
    if (!this.#active) return
    for (const check of this.#tables) check.tableUnlocked?.(context, table, first, end, mode)
    this.#watch.tableUnlocked(context, table, first, end, mode)
  }

  tableReadDone(context: number, ptep: number, orig: number): void {
    if (this.#active) for (const check of this.#tables) check.tableReadDone?.(context, ptep, orig)
  }

  objectAllocated(context: number, object: number, site: number): void {
    if (this.#active) this.#watch.objectAllocated(context, object, site)
  }

  objectFreed(context: number, object: number, site: number): void {
    if (!this.#active) return
    this.#first?.objectFreed(context, object, site)
    this.#watch.objectFreed(context, object, site)
  }

  lockInit(context: number, lock: number, lockClass: number): void {
    if (this.#active) for (const check of this.#locks) check.lockInit?.(context, lock, lockClass)
  }

  lockAcquire(context: number, lock: number, subclass: number, how: number): void {
    if (this.#active) for (const check of this.#locks) check.lockAcquire?.(context, lock, subclass, how)
  }

  lockRelease(context: number, lock: number): void {
    if (this.#active) for (const check of this.#locks) check.lockRelease?.(context, lock)
  }

  end(): void {
    // What follows an execution (teardown) is no part of it.
    this.#active = false
    for (const check of this.#checks) check.end?.()
  }
}
