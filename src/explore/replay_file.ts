/**
 * Replay files: one failing schedule, with all that is needed to build its kernel again and every step that it took, so
 * that a replay on a changed kernel can say where it first differs. Reads and makes their text; leaves out files and
 * building.
 */
import * as v from 'valibot'
import { UsageError } from '../base/errors.ts'
import type { Course } from './course.ts'
import { hashList } from './distinct.ts'
import type { HistoryStep, Recording } from './record.ts'
import { segmentsOf } from './segments.ts'

export const REPLAY_SCHEMA = 'mmtorture/replay@2'
/** Draws were not recorded: tasks had those of their own sequences. */
const BEFORE_DRAWS = 'mmtorture/replay@1'
/** Steps that are kept of a long execution, and steps to a hash. */
const KEPT = 20_000
const HASHED = 64

const integer = v.pipe(v.number(), v.integer())
const count = v.pipe(integer, v.minValue(0))
const names = v.array(v.string())

const FILE = v.object({
  schema: v.picklist([REPLAY_SCHEMA, BEFORE_DRAWS]),
  /** Hash of the image. */
  image: v.string(),
  /** What to build: a scenario's name or path, the configuration, ids of reverts, the text of patches. */
  scenario: v.string(),
  config: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
  reverts: names,
  patches: v.array(v.object({ name: v.string(), text: v.string() })),
  sizes: v.object({ cpus: v.pipe(integer, v.minValue(1)), operations: count, pages: count }),
  /** Checks at every step that were on. */
  checks: names,
  seed: count,
  /** Steps without the end of a turn that are a livelock; none in the first files. */
  stepLimit: v.optional(count),
  scheduler: v.string(),
  /** The execution that found it, before it was shrunk. */
  execution: integer,
  check: v.string(),
  message: v.string(),
  /** Pairs of (steps announced before the change, context that goes on). */
  schedule: v.array(v.tuple([count, count])),
  /** What each task drew at random, in its order; 0 beyond that. */
  draws: v.optional(v.array(v.object({ pid: count, values: v.array(count) }))),
  /** All steps of the execution. */
  steps: count,
  /** Tables that `history` points into. */
  functions: names,
  files: names,
  objects: names,
  /** By step that was taken: [context, kind, function, file, line, object, value returned]. */
  history: v.array(v.tuple([count, count, count, count, integer, count, integer])),
  /** A hash of every 64 steps. */
  hashes: v.array(v.number()),
})

export type ReplayFile = v.InferOutput<typeof FILE>

/** What a step is in the kernel's words. `object`: the word, by name where it has one. */
export interface StepNames {
  readonly function: string
  readonly file: string
  readonly line: number
  readonly object: string
}

/** Names a step; called when the step has just been taken. */
export type DescribeStep = (step: HistoryStep) => StepNames

/** What a replay file says beside what was recorded. */
export type ReplayAbout = Pick<
  ReplayFile,
  | 'image'
  | 'scenario'
  | 'config'
  | 'reverts'
  | 'patches'
  | 'sizes'
  | 'checks'
  | 'seed'
  | 'stepLimit'
  | 'scheduler'
  | 'execution'
>

/**
 * The file of a recording that ended in a violation.
 * @param describe names the steps of the history
 */
export function makeReplay(recording: Recording, about: ReplayAbout, describe: DescribeStep): ReplayFile {
  const { finding, schedule, draws, steps, history } = recording
  if (finding === null) throw new Error('a replay file is made of a violation')
  const functions = new Table()
  const files = new Table()
  const objects = new Table()
  const pairs: [number, number][] = []
  for (let i = 0; i < schedule.length; i += 2) pairs.push([schedule[i], schedule[i + 1]])
  const rows = history.slice(0, KEPT).map((step): ReplayFile['history'][number] => {
    const named = describe(step)
    const place = [functions.index(named.function), files.index(named.file), named.line] as const
    return [step.context, step.kind, ...place, objects.index(named.object), step.result]
  })
  const file: ReplayFile = {
    ...about,
    schema: REPLAY_SCHEMA,
    check: finding.check,
    message: finding.message,
    schedule: pairs,
    draws: draws.map(({ pid, values }) => ({ pid, values: [...values] })),
    steps,
    functions: functions.names,
    files: files.names,
    objects: objects.names,
    history: rows,
    hashes: hashesOf(history),
  }
  // In the order above: short things first.
  return v.parse(FILE, file)
}

/** Hashes of every 64 steps: what they were and what they returned. */
export function hashesOf(history: readonly HistoryStep[]): number[] {
  const hashes: number[] = []
  for (let from = 0; from < history.length; from += HASHED) {
    const steps = history.slice(from, from + HASHED)
    hashes.push(
      hashList(steps.flatMap(({ context, kind, addr, old, result }) => [context, kind, addr, old, result])),
    )
  }
  return hashes
}

/** The text of a file: one line a field, so that its head can be read. */
export function formatReplay(file: ReplayFile): string {
  const lines = Object.entries(file).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  )
  return `{\n${lines.join(',\n')}\n}\n`
}

/**
 * Reads the text of a replay file.
 * @param name how messages call it
 * Throws UsageError if it is no replay file, of another version, or damaged: with the place.
 */
export function parseReplay(text: string, name: string): ReplayFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const cut = text.trimStart().startsWith('{') && !text.trimEnd().endsWith('}')
    throw new UsageError(
      cut
        ? `${name} is truncated: it ends in the middle, after ${text.length} characters.`
        : `${name} is no replay file: expected JSON with "schema": "${REPLAY_SCHEMA}".`,
    )
  }
  const schema: unknown =
    typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined
  if (schema !== REPLAY_SCHEMA && schema !== BEFORE_DRAWS)
    throw new UsageError(
      typeof schema === 'string' && schema.startsWith('mmtorture/replay@')
        ? `${name} is a replay file of another version, ${schema}; this mmtorture reads ${REPLAY_SCHEMA}.`
        : `${name} is no replay file: expected "schema": "${REPLAY_SCHEMA}".`,
    )
  const parsed = v.safeParse(FILE, value)
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw new UsageError(
      `${name} is damaged: at ${v.getDotPath(issue) ?? 'its top'}, ${lower(issue.message)}.`,
    )
  }
  const file = parsed.output
  const bad = firstBadEntry(file)
  if (bad !== undefined) throw new UsageError(`${name} is damaged: ${bad}.`)
  return file
}

/** The course that is replayed. */
export function replayCourse({ schema, schedule, steps, draws = [] }: ReplayFile): Course {
  const segments = segmentsOf(schedule.flat(), steps)
  return { segments, draws: schema === BEFORE_DRAWS ? 'sequence' : draws }
}

function firstBadEntry(file: ReplayFile): string | undefined {
  const contexts = 2 * file.sizes.cpus
  for (const [index, [step, context]] of file.schedule.entries()) {
    if (context >= contexts) return `schedule.${index} names context ${context}, and there are ${contexts}`
    if (index > 0 && step < file.schedule[index - 1][0]) return `schedule.${index} goes back to step ${step}`
    if (step > file.steps) return `schedule.${index} is behind the last step, ${file.steps}`
  }
  for (const [index, [, , fn, path, , object]] of file.history.entries())
    if (fn >= file.functions.length || path >= file.files.length || object >= file.objects.length)
      return `history.${index} names what its tables do not hold`
  return undefined
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1)
}

/** Strings by number. */
class Table {
  readonly names: string[] = []
  readonly #indices = new Map<string, number>()

  index(name: string): number {
    let index = this.#indices.get(name)
    if (index === undefined) {
      index = this.names.push(name) - 1
      this.#indices.set(name, index)
    }
    return index
  }
}
