// The checks by name, at every step and at rest, and which of them a hunt leaves out. Leaves out the checks:
// src/checks.
import { CHECKS } from '../checks/index.ts'
import { STEP_CHECKS } from '../checks/steps/index.ts'
import { didYouMean } from '../base/nearest.ts'
import { UsageError } from '../base/errors.ts'

/** A check as it is listed. */
export interface ListedCheck {
  readonly name: string
  readonly description: string
  readonly when: 'step' | 'rest' | 'machine'
  /** What it costs, in a few words; nothing for checks at rest. */
  readonly cost: string
}

/** What the machine itself and the image notice; these cannot be left out. */
const MACHINE_CHECKS: readonly ListedCheck[] = [
  ['BUG', 'BUG_ON and its relatives in the kernel and in the scenario'],
  ['data-oracle', 'A user load returns what the program may see there'],
  ['deadlock', 'Somebody can go on, as long as a CPU is in the kernel'],
  ['livelock', 'Within --step-limit steps a task ends a turn, or a CPU all it had to do'],
].map(([name, description]) => ({ name, description: `${description}.`, when: 'machine', cost: 'nothing' }))

/** All checks of a hunt: of the machine, at every step, at rest. */
export function allChecks(): ListedCheck[] {
  const steps = STEP_CHECKS.map(({ id, name, description, cost }) => ({
    name,
    description: id === '' ? description : `${id}: ${description}`,
    when: 'step' as const,
    cost,
  }))
  const rest = CHECKS.map(({ id, name, description }) => ({
    name,
    description: `${id}: ${description}`,
    when: 'rest' as const,
    cost: 'only for states at the end that were not seen before',
  }))
  return [...MACHINE_CHECKS, ...steps, ...rest]
}

/**
 * Names of the checks that are off.
 * @param only `--check`: all others are off; @param without `--no-check`; `steps` and `rest` name all checks of that
 * kind, but those that are there in place of another, which are on only by their own name.
 * Throws UsageError for a name that is none.
 */
export function chooseChecks(only: readonly string[], without: readonly string[]): string[] {
  const checks = allChecks().filter((check) => check.when !== 'machine')
  const names = (option: string, texts: readonly string[]): Set<string> =>
    new Set(texts.flatMap((text) => text.split(',')).flatMap((text) => checksNamed(option, text, checks)))
  const wanted = names('--check', only)
  const unwanted = names('--no-check', without)
  return checks
    .map((check) => check.name)
    .filter(
      (name) =>
        (wanted.size > 0 && !wanted.has(name)) ||
        unwanted.has(name) ||
        (isSubstitute(name) && !wanted.has(name)),
    )
}

/** Whether the check finds more than another one and is there in its place. */
function isSubstitute(check: string): boolean {
  return STEP_CHECKS.some(({ name, insteadOf }) => name === check && insteadOf !== undefined)
}

function checksNamed(option: string, text: string, checks: readonly ListedCheck[]): string[] {
  const kind = { steps: 'step', rest: 'rest' }[text]
  if (kind !== undefined)
    return checks.filter(({ name, when }) => when === kind && !isSubstitute(name)).map((check) => check.name)
  const found = checks.find((check) => check.name === text)
  if (found) return [found.name]
  if (MACHINE_CHECKS.some((check) => check.name === text))
    throw new UsageError(`${option} ${text}: this check is part of the machine and is always on.`)
  const hint = didYouMean(
    text,
    checks.map((check) => check.name),
  )
  throw new UsageError(
    `${option} ${text}: there is no such check${hint}; mmtorture list checks names them, and steps ` +
      'and rest are all of a kind.',
  )
}
