/**
 * BUG and its relatives (include/linux/bug.h, mmdebug.h, 6.1). A BUG stops the machine: machine_bug() unwinds this CPU
 * by the machine's own exception, whose stack names the place; the others leave at their next wait or operation.
 */
import { machine_bug } from './machine.ts'
import type { Page } from './structs.ts'

/** Kinds of machine_bug(). */
export const BUG_PLAIN = 0
/** `a` is a struct page. */
export const BUG_PAGE = 1
/** Another CPU's BUG stopped the machine. */
export const BUG_STOPPED = 2
/** The data oracle saw a value it cannot explain; `a` is the oracle's record. */
export const BUG_ORACLE = 3
/** The scenario cannot go on; `a` is its reason (SETUP_ constants). */
export const BUG_SCENARIO = 4
/** A page-table-lock design has named a lock that is not its own: `a` is its address, `b` who did (PTLOCK_BY_…). */
export const BUG_PTLOCK = 5
/** A word of the scenario's that it does not have: `a` is its number, `b` how many there are. */
export const BUG_SCENARIO_WORD = 6
/** A user access to word `a` of a page that keeps `b`. */
export const BUG_USER_WORD = 7

export function BUG(): never {
  machine_bug(BUG_PLAIN, 0, 0)
}

export function BUG_ON(condition: boolean): void {
  if (condition) machine_bug(BUG_PLAIN, 0, 0)
}

export function VM_BUG_ON_PAGE(condition: boolean, page: Page): void {
  if (condition) machine_bug(BUG_PAGE, page, 0)
}
