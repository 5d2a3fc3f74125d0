/** The table of schedulers, by name. */
import { DfsScheduler } from './dfs.ts'
import { PctScheduler } from './pct.ts'
import { PortfolioScheduler } from './portfolio.ts'
import { PosScheduler } from './pos.ts'
import { RandomScheduler } from './random.ts'
import { RoundRobinScheduler } from './round_robin.ts'
import type { SchedulerEntry } from './scheduler.ts'
import { SurwScheduler } from './surw.ts'

export const DEFAULT_SCHEDULER = 'portfolio'

export const SCHEDULERS: readonly SchedulerEntry[] = [
  {
    name: 'portfolio',
    description: 'surw, pos, random and pct, each with a share of the executions by what it finds (default)',
    create: (options) => new PortfolioScheduler(options),
  },
  {
    name: 'random',
    description: 'random walk: at each choice everyone is equally likely',
    create: () => new RandomScheduler(),
  },
  {
    name: 'surw',
    description:
      'selectively uniform random walk: all orders of the accesses to shared words are equally likely',
    create: (options) => new SurwScheduler(options),
  },
  {
    name: 'pos',
    description: 'partial order sampling: random priorities of steps, drawn anew where steps conflict',
    create: (options) => new PosScheduler(options),
  },
  {
    name: 'pct',
    description: 'random priorities of CPUs with --depth - 1 changes: bugs that need long undisturbed runs',
    create: (options) => new PctScheduler(options),
  },
  {
    name: 'round-robin',
    description: 'everyone in turn, for 1 to 16 choices',
    create: () => new RoundRobinScheduler(),
  },
  {
    name: 'dfs',
    description: 'every schedule with at most --preemptions preemptions; ends when all have run',
    sequential: true,
    create: (options) => new DfsScheduler(options),
  },
]
