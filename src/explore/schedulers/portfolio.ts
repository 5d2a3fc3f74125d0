/**
 * The default: shares the executions among several schedulers, by what each has found that was new (shareOut), so that
 * the one that suits the program gets most of them. The shares are part of the profile and change only between rounds.
 */
import type { Pending, Random, Scheduler } from '../../step/scheduler.ts'
import { PctScheduler } from './pct.ts'
import { PosScheduler } from './pos.ts'
import { RandomScheduler } from './random.ts'
import type { Profile, SchedulerOptions } from './scheduler.ts'
import { SurwScheduler } from './surw.ts'

/** Executions that are shared out at a time. */
export const SHARES = 64
const LEAST = 4

/** Names of the members, in the order of Profile.shares. */
export const MEMBERS = ['surw', 'pos', 'random', 'pct'] as const

export class PortfolioScheduler implements Scheduler {
  readonly name = 'portfolio'
  readonly #members: readonly Scheduler[]
  readonly #profile: Profile
  #member: Scheduler

  constructor(options: SchedulerOptions) {
    this.#profile = options.profile
    this.#members = [
      new SurwScheduler(options),
      new PosScheduler(options),
      new RandomScheduler(),
      new PctScheduler(options),
    ]
    this.#member = this.#members[0]
  }

  begin(execution: number, random: Random, pending: Pending): void {
    this.#member = this.#members[memberOf(execution, this.#profile.shares)]
    this.#member.begin(execution, random, pending)
  }

  next(runnable: Int32Array, n: number, current: number): number {
    return this.#member.next(runnable, n, current)
  }
}

/** Which member runs this execution. Neighbouring executions go to different members. */
export function memberOf(execution: number, shares: readonly number[]): number {
  let slot = 0
  for (let bit = 0; bit < 6; bit++) slot = (slot << 1) | ((execution >> bit) & 1)
  for (let member = 0; member < shares.length; member++) {
    slot -= shares[member]
    if (slot < 0) return member
  }
  return slot & 3
}

/** Equal shares. */
export function equalShares(): number[] {
  return MEMBERS.map(() => SHARES / MEMBERS.length)
}

/**
 * Shares of the next round.
 * @param found by member: what its executions of this round met first (conflicting pairs of source lines)
 * @param before the shares of this round
 */
export function shareOut(found: readonly number[], before: readonly number[]): number[] {
  // What a member finds with one share counts; and it is halfway between old and new, since luck plays a part.
  const yields = found.map((count, member) => Math.floor((1000 * (count + 1)) / before[member]))
  const total = yields.reduce((sum, value) => sum + value, 0)
  const free = SHARES - LEAST * MEMBERS.length
  const shares = yields.map((value, member) =>
    Math.floor((before[member] + LEAST + Math.floor((free * value) / total)) / 2),
  )
  let left = SHARES - shares.reduce((sum, share) => sum + share, 0)
  for (let member = 0; left > 0; member = (member + 1) % shares.length, left--) shares[member]++
  return shares
}
