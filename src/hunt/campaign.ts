/**
 * A hunt on worker threads: rounds of executions, split among the workers and merged in their order, so that what is
 * found depends on the seed and not on how many there are. Also the way to hunt with one worker, since this thread
 * stays free to hear Ctrl-C.
 */
import { join } from 'node:path' // oxlint-disable-line no-restricted-imports -- workers are files
import { Piscina } from 'piscina'
import { UsageError } from '../base/errors.ts'
import { loadScheduler } from '../catalog/scheduler_file.ts'
import { packageRoot } from '../base/root.ts'
import type { ExplorerOptions, Slice } from '../explore/explorer.ts'
import {
  ABORT,
  ENDED,
  type ExplorerAnswer,
  type ExplorerSetup,
  type ExplorerTask,
  LIMIT,
  type SubjectSpec,
} from './protocol.ts'
import { type HuntResult, roundLength, Rounds } from '../explore/rounds.ts'

export interface CampaignOptions extends Omit<ExplorerOptions, 'scheduler'> {
  readonly subject: SubjectSpec
  /** A name of the table of schedulers, or the absolute path of a module. */
  readonly scheduler: string
  readonly workers: number
  /** Default: no end. */
  readonly seconds?: number
  readonly executions?: number
  /** Time is up while it learns, too. */
  readonly brief?: boolean
  /** Executions that learn at most; default: all that learning takes. */
  readonly learning?: number
  /** Ends the hunt when aborted; what was done is reported. */
  readonly signal?: AbortSignal
  /** Seconds without the end of an execution after which none is awaited any more (default 60). */
  readonly patience?: number
  /** Called between rounds. */
  readonly progress?: (result: HuntResult) => void
}

/** Slices of a round for each worker: a slow one does not keep the others waiting for long. */
const SLICES = 4
/** Executions that are worth a task. */
const LEAST = 64
/** Seconds: an execution has at most as many steps as the step limit, and ends in much less. */
const PATIENCE = 60

/**
 * Hunts on `workers` threads. The violations are those that one worker would have found.
 * Throws UsageError for what the user's scheduler does wrong, and when
 * executions do not end; whatever the image throws comes back with its stack.
 */
export async function campaign(options: CampaignOptions): Promise<HuntResult> {
  const started = performance.now()
  const deadline = Date.now() + Math.min(options.seconds ?? Infinity, 1e9) * 1000
  const executions = options.executions ?? Infinity
  const control = new Int32Array(new SharedArrayBuffer(12))
  control[LIMIT] = 2 ** 31 - 1
  const { signal } = options
  const abort = (): void => {
    control[ABORT] = 1
  }
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort)
  // A search that goes from one execution to the next cannot be split.
  const { sequential } = await loadScheduler(options.scheduler)
  const workers = sequential === true ? 1 : options.workers
  const pool = new Piscina({
    filename: join(packageRoot(), 'dist', 'workers', 'explorer.js'),
    minThreads: workers,
    maxThreads: workers,
    atomics: 'disabled',
    workerData: setupOf(options, control),
  })
  const stall = stallOf(control, options.patience ?? PATIENCE)
  const run = async (task: ExplorerTask): Promise<{ slice: Slice; scheduler: string }> => {
    const answer = (await Promise.race([pool.run(task), stall.stalled])) as ExplorerAnswer
    if (!('failed' in answer)) return answer
    const { usage, message, stack } = answer.failed
    const error = usage ? new UsageError(message) : new Error(message)
    error.stack = stack
    throw error
  }
  try {
    const { slice: batch, scheduler } = await run({
      do: 'learn',
      deadline: options.brief === true ? deadline : 0,
      most: options.learning ?? Infinity,
    })
    const learning = batch.schedules.length
    const rounds = new Rounds(batch, options.keepGoing ?? false)
    const elapsed = (): number => (performance.now() - started) / 1000
    const result = (): HuntResult =>
      rounds.result({
        scheduler,
        seed: options.seed,
        seconds: elapsed(),
        interrupted: signal?.aborted ?? false,
      })
    // A verdict stands on one execution at least, however little time there was (workers/explorer.ts).
    const stopped = (from: number): boolean => control[ABORT] !== 0 || (from > 0 && Date.now() >= deadline)
    for (let round = 0, from = 0; !rounds.over && from < executions && !stopped(from); round++) {
      const to = Math.min(executions, from + roundLength(round))
      const state = rounds.state()
      const parts = partsOf(from, to, workers)
      const slices = await Promise.all(
        parts.map(async ([first, end]) => {
          const { slice } = await run({ do: 'explore', from: first, to: end, state, learning, deadline })
          const [violation] = slice.violations
          if (violation !== undefined && options.keepGoing !== true)
            control[LIMIT] = Math.min(control[LIMIT], violation.execution + 1)
          return slice
        }),
      )
      rounds.add(
        slices,
        parts.map(([, end]) => end),
        elapsed(),
      )
      from = to
      options.progress?.(result())
    }
    return result()
  } finally {
    stall.stop()
    signal?.removeEventListener('abort', abort)
    control[ABORT] = 1
    await pool.destroy()
  }
}

/**
 * `stalled` rejects when no execution has ended for `patience` seconds: a loop without a step cannot be stopped from
 * within.
 */
function stallOf(control: Int32Array, patience: number): { stalled: Promise<never>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined
  const stalled = new Promise<never>((_, reject) => {
    let last = -1
    let quiet = 0
    timer = setInterval(() => {
      const ended = control[ENDED]
      quiet = ended === last ? quiet + 1 : 0
      last = ended
      if (quiet >= patience)
        reject(
          new UsageError(
            `an execution does not end: none has for ${patience} s, and no step limit stops a loop ` +
              'that makes no access to shared memory; look for one in the scenario, the patches and ' +
              'the designs.',
          ),
        )
    }, 1000)
  })
  // Nobody may be waiting when it comes to that.
  stalled.catch(() => {})
  return { stalled, stop: () => clearInterval(timer) }
}

function setupOf(options: CampaignOptions, control: Int32Array): ExplorerSetup {
  const { subject, scheduler, seed, sites, depth, preemptions, keepGoing, checkDeterminism } = options
  const explorer = {
    ...{ seed, sites },
    ...(depth === undefined ? {} : { depth }),
    ...(preemptions === undefined ? {} : { preemptions }),
    ...(keepGoing === undefined ? {} : { keepGoing }),
    ...(checkDeterminism === undefined ? {} : { checkDeterminism }),
  }
  return { subject, options: explorer, scheduler, control }
}

/** [from, to) in parts, in order. */
function partsOf(from: number, to: number, workers: number): [from: number, to: number][] {
  const parts = workers === 1 ? 1 : Math.min(workers * SLICES, Math.ceil((to - from) / LEAST))
  return Array.from({ length: parts }, (_, part) => [
    from + Math.floor(((to - from) * part) / parts),
    from + Math.floor(((to - from) * (part + 1)) / parts),
  ])
}
