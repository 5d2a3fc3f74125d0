/** Runs the schedule and the draws of a replay file and compares every step with the one that was recorded. */
import { KIND_NAMES } from '../step/kinds.ts'
import { type Observer, Violation } from '../step/observer.ts'
import type { Subject } from './attempt.ts'
import { type Recording, record } from './record.ts'
import { type DescribeStep, hashesOf, replayCourse, type ReplayFile, type StepNames } from './replay_file.ts'

/** The first step that is not the recorded one. */
export interface Difference {
  /** From 1, of the steps that were taken. */
  readonly step: number
  readonly expected: string
  readonly got: string
}

export interface Replayed {
  readonly recording: Recording
  readonly difference?: Difference
}

/**
 * Replays. On the image that the file was made with every step must be the same; on another one the functions, kinds of
 * access and objects are compared, and the replay ends at the first that differs. Without a difference the recording
 * tells what failed.
 * @param image hash of the image that `subject` has booted
 * @param first observers that see each step before `describe` is asked for it
 */
export function replay(
  subject: Subject,
  file: ReplayFile,
  image: string,
  describe: DescribeStep,
  first: readonly Observer[] = [],
): Replayed {
  const comparer = new Comparer(file, describe)
  const watched: Subject = { ...subject, observers: [comparer, ...subject.observers] }
  const recording = record(watched, replayCourse(file), first)
  subject.machine.observe(subject.observers)
  if (comparer.difference !== undefined) return { recording, difference: comparer.difference }
  const end =
    endDifference(file, recording) ?? (image === file.image ? valueDifference(file, recording) : undefined)
  return end === undefined ? { recording } : { recording, difference: end }
}

/** The sentence about a difference. */
export function formatDifference({ step, expected, got }: Difference): string {
  return `the replay first differs at step ${step}: expected ${expected}, got ${got}`
}

class Comparer implements Observer {
  difference: Difference | undefined
  readonly #file: ReplayFile
  readonly #describe: DescribeStep
  #at = 0

  constructor(file: ReplayFile, describe: DescribeStep) {
    this.#file = file
    this.#describe = describe
  }

  begin(): void {
    this.#at = 0
    this.difference = undefined
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
    const row = this.#file.history[this.#at++]
    // What follows the end of a recorded execution is compared by its outcome.
    if (row === undefined) return
    const names = this.#describe({ context, kind, addr, a, b, old, result, site })
    const expected = namesOf(this.#file, row)
    const same =
      row[0] === context &&
      row[1] === kind &&
      names.function === expected.function &&
      names.object === expected.object
    if (same) return
    const { cpus } = this.#file.sizes
    this.difference = {
      step: this.#at,
      expected: sentence(row[0], row[1], expected, cpus),
      got: sentence(context, kind, names, cpus),
    }
    throw new Violation('replay', formatDifference(this.difference))
  }
}

function namesOf(file: ReplayFile, [, , fn, path, line, object]: ReplayFile['history'][number]): StepNames {
  return { function: file.functions[fn], file: file.files[path], line, object: file.objects[object] }
}

function sentence(context: number, kind: number, names: StepNames, cpus: number): string {
  const who = context < cpus ? `CPU ${context}` : `the interrupt of CPU ${context - cpus}`
  return `${who} in ${names.function} (${names.file}:${names.line}), ${KIND_NAMES[kind]} of ${names.object}`
}

function endDifference(file: ReplayFile, { finding, history }: Recording): Difference | undefined {
  if (finding?.check === file.check) return undefined
  const step = history.length
  const expected = `${file.check} to fail (${file.message})`
  return {
    step,
    expected,
    got: finding === null ? 'an execution in which everything held' : `${finding.check}: ${finding.message}`,
  }
}

/** On the same image: a step that returned something else, to 64 steps. */
function valueDifference(file: ReplayFile, { history }: Recording): Difference | undefined {
  const row = file.history.findIndex(([, , , , , , result], index) => history[index]?.result !== result)
  if (row >= 0) {
    const got = history[row]
    const expected = sentence(
      file.history[row][0],
      file.history[row][1],
      namesOf(file, file.history[row]),
      file.sizes.cpus,
    )
    return {
      step: row + 1,
      expected: `${expected}, with the value ${file.history[row][6]}`,
      got: got === undefined ? 'the end' : `the value ${got.result}`,
    }
  }
  const hashes = hashesOf(history)
  const at = file.hashes.findIndex((hash, index) => hashes[index] !== hash)
  if (at < 0) return undefined
  return { step: at * 64 + 1, expected: `steps with the hash ${file.hashes[at]}`, got: `${hashes[at]}` }
}
