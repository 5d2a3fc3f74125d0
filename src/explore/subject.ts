/**
 * What is hunted: a machine booted from an image, the checks at every step that watch it, and the checks at rest. The
 * same from the same image and options, in every thread. Leaves out the image: kbuild.
 */
import { runChecks } from '../checks/index.ts'
import type { Site } from '../step/site.ts'
import {
  KernelBug,
  type SteppedBoot,
  SteppedMachine,
  type SteppedOptions,
} from '../machine/stepped/machine.ts'
import { type Observer, Violation } from '../step/observer.ts'
import type { Finding, RestFinding, Subject } from './attempt.ts'

/** Behind the message of what fails on the way from rest to where no task is left. */
export const WHILE_EXITING = ' while the tasks exit'

/** What is needed of an image besides its boot(). */
export interface SubjectImage {
  readonly symbols: Readonly<Record<string, number>>
  readonly sites: readonly Site[]
  readonly functions: readonly string[]
  readonly declared: readonly string[]
}

/** Makes the checks at every step for a machine. */
export type MakeObservers = (machine: SteppedMachine, image: SubjectImage) => Observer[]

/**
 * Boots the image, runs the scenario's setup and attaches the checks.
 * @param atRest names of checks at rest that are not run
 */
export function createSubject(
  boot: SteppedBoot,
  image: SubjectImage,
  options: SteppedOptions,
  observers: MakeObservers,
  off: ReadonlySet<string> = new Set(),
): Subject {
  const machine = new SteppedMachine(boot, image.symbols, options)
  return { machine, observers: observers(machine, image), atRest: () => checkAtRest(machine, off) }
}

/** What fails first of the checks at rest, with all tasks stopped and then with all gone. Runs the machine on. */
export function checkAtRest(machine: SteppedMachine, off: ReadonlySet<string>): RestFinding | null {
  const { learning } = machine
  // What follows an execution shares nothing with it.
  machine.learning = false
  try {
    const found = failed(machine, 'running', off)
    if (found !== null) return found
    machine.alone(0, (kernel) => kernel.exit_all_tasks())
    return failed(machine, 'torn-down', off)
  } catch (error) {
    if (error instanceof Violation) {
      const when = error.check === 'deadlock' ? WHILE_EXITING : ''
      return { check: error.check, message: `${error.message}${when}`, error }
    }
    if (error instanceof KernelBug)
      return { check: machine.checkOf(error), message: `${error.message}${WHILE_EXITING}`, error }
    throw error
  } finally {
    machine.learning = learning
  }
}

function failed(
  machine: SteppedMachine,
  stage: 'running' | 'torn-down',
  off: ReadonlySet<string>,
): Finding | null {
  const result = runChecks(machine, stage).find((check) => check.ok === false && !off.has(nameOf(check.name)))
  if (result === undefined) return null
  const when = stage === 'running' ? '' : ' (after all tasks have exited)'
  return { check: nameOf(result.name), message: `${result.detail ?? 'failed'}${when}` }
}

/** `Q1 refcounts` is listed as `refcounts`. */
function nameOf(name: string): string {
  return name.slice(name.indexOf(' ') + 1)
}
