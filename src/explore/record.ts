/**
 * The second pass: runs a failing execution again with its history. Leaves out what the history means in the kernel's
 * words: report.
 */
import { KIND_FLAGS, WRITES } from '../step/kinds.ts'
import type { Observer } from '../step/observer.ts'
import { type Attempt, attempt, type Subject } from './attempt.ts'
import type { Course } from './course.ts'

/** A step that was taken. Operands by kind as in Observer.step. */
export interface HistoryStep {
  readonly context: number
  readonly kind: number
  readonly addr: number
  readonly a: number
  readonly b: number
  /** What the word held before, and what the access returned. */
  readonly old: number
  readonly result: number
  readonly site: number
}

/** What a context was about to do when the execution ended. */
export interface PendingStep {
  readonly context: number
  /** 0: it had not begun. */
  readonly kind: number
  readonly addr: number
  readonly a: number
  readonly b: number
  readonly site: number
  /** 'waiting': it cannot go on until another does something. */
  readonly state: 'runnable' | 'waiting' | 'ended'
}

export interface Recording extends Attempt {
  readonly history: readonly HistoryStep[]
  readonly pending: readonly PendingStep[]
  /**
   * The sites of the step that failed and of the last step of another CPU that conflicts with it; empty if it failed at
   * rest.
   */
  readonly places: readonly number[]
}

/** Records steps. */
export class Recorder implements Observer {
  readonly steps: HistoryStep[] = []

  begin(): void {
    this.steps.length = 0
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
    this.steps.push({ context, kind, addr, a, b, old, result, site })
  }
}

/** Runs a course with its history; `first` sees each step, too, before the checks do. */
export function record(subject: Subject, course: Course, first: readonly Observer[] = []): Recording {
  const { machine } = subject
  const recorder = new Recorder()
  let pending: PendingStep[] = []
  const whole: Subject = {
    ...subject,
    // The checks at rest run the machine on.
    atRest: () => {
      pending = pendingOf(subject)
      const steps = recorder.steps.length
      const finding = subject.atRest?.() ?? null
      recorder.steps.length = steps
      return finding
    },
  }
  const done = attempt(whole, course, [...first, recorder])
  if (!done.atRest) pending = pendingOf(subject)
  const places =
    done.error === undefined || done.atRest ? [] : placesOf(done, recorder.steps, pending, machine.cpus)
  return { ...done, history: recorder.steps, pending, places }
}

function pendingOf({ machine }: Subject): PendingStep[] {
  const pending: PendingStep[] = []
  for (let context = 0; context < machine.kind.length; context++) {
    if (context >= machine.cpus && machine.kind[context] === 0) continue
    const { kind, addr, a, b, site } = machine
    pending.push({
      context,
      kind: kind[context],
      addr: addr[context],
      a: a[context],
      b: b[context],
      site: site[context],
      state: machine.hasEnded(context) ? 'ended' : machine.isRunnable(context) ? 'runnable' : 'waiting',
    })
  }
  return pending
}

function placesOf(
  { finding }: Attempt,
  history: readonly HistoryStep[],
  pending: readonly PendingStep[],
  cpus: number,
): number[] {
  if (finding?.check === 'deadlock')
    return pending
      .filter((step) => step.state === 'waiting')
      .map((step) => step.site)
      .toSorted((x, y) => x - y)
      .slice(0, 2)
  const failed = history.at(-1)
  if (failed === undefined) return []
  const other = history.findLast(
    (step) =>
      step.context % cpus !== failed.context % cpus &&
      step.addr === failed.addr &&
      ((KIND_FLAGS[step.kind] | KIND_FLAGS[failed.kind]) & WRITES) !== 0,
  )
  return other === undefined ? [failed.site] : [failed.site, other.site]
}

/** Equal for violations that are the same bug, as far as a check and two places tell. */
export function violationKey(recording: Recording): string {
  const { finding, places } = recording
  if (finding === null) return 'held'
  if (places.length > 0) return `${finding.check} ${places.toSorted((x, y) => x - y).join(' ')}`
  return `${finding.check} ${finding.message.replaceAll(/0x[\da-f]+|\d+/g, '#')}`
}
