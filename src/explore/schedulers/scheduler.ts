/** What a scheduler is made of beside the interface of the machine: its options, and what is known of the program. */
import type { Scheduler } from '../../step/scheduler.ts'

/** What was learned of the program from earlier executions; changes only between rounds. */
export interface Profile {
  /** By context: scheduling points that it has in an execution, on average. */
  points: readonly number[]
  /** Changes of context that could be made in an execution: choices, on average. */
  choices: number
  /** By member of the portfolio: how many of SHARES executions it gets. */
  shares: readonly number[]
}

export interface SchedulerOptions {
  readonly cpus: number
  /** Read at each execution. */
  readonly profile: Profile
  /** pct: the depth of the bug to look for, in ordering constraints. Default 3. */
  readonly depth?: number
  /** dfs: the most preemptions of a schedule. Default 2. */
  readonly preemptions?: number
}

/** An exhaustive scheduler can begin anew when the set of scheduling points has changed. */
export interface RestartableScheduler extends Scheduler {
  restart?(): void
}

/** A line of the table of schedulers. */
export interface SchedulerEntry {
  readonly name: string
  readonly description: string
  /** It carries state from one execution to the next, in their order: only one worker can run it. */
  readonly sequential?: true
  create(options: SchedulerOptions): RestartableScheduler
}

/** A profile that says nothing. */
export function emptyProfile(): Profile {
  return { points: [], choices: 1, shares: [] }
}
