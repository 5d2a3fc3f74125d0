// Parsers of option values that several commands share. Each refuses a bad value with one sentence (UsageError).
import { BOUNDS, type Bounds, expectedInteger, LONGEST } from '../base/bounds.ts'
import { UsageError } from '../base/errors.ts'
import { TIME_UNITS } from '../scale/simulated_time.ts'

/** `--cpus N`. */
export function parseCpus(text: string): number {
  const [least, greatest] = BOUNDS.run.cpus
  return integer('--cpus', text, BOUNDS.run.cpus, `a number of CPUs from ${least} to ${greatest}`)
}

/** `--cpus 1,2,4` of scale: ascending numbers of CPUs, each once. */
export function parseCpuList(text: string): number[] {
  const bounds = BOUNDS.scale.cpus
  const expected = `numbers of CPUs from ${bounds[0]} to ${bounds[1]}, such as 1,2,4,8`
  const list = text.split(',').map((part) => integer('--cpus', part.trim(), bounds, expected))
  return [...new Set(list)].toSorted((left, right) => left - right)
}

/** `--simulated-time T`: seconds of a time such as 500us, 2ms or 0.01s. */
export function parseSimulatedTime(text: string): number {
  const match = /^(\d*\.?\d+)(ns|us|ms|s)$/.exec(text)
  const seconds = match === null ? 0 : Number(match[1]) / TIME_UNITS[match[2]]
  if (!(seconds > 0 && seconds <= LONGEST.simulatedTime))
    throw new UsageError(
      `--simulated-time ${text}: expected a time of at most ${LONGEST.simulatedTime}s with its unit, ` +
        'such as 500us or 2ms.',
    )
  return seconds
}

/** `--seconds S`: a positive decimal number of at most a day. */
export function parseSeconds(text: string): number {
  return time('--seconds', text)
}

/** `--budget S`: as `--seconds`. */
export function parseBudget(text: string): number {
  return time('--budget', text)
}

function time(option: string, text: string): number {
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds > 0 && seconds <= LONGEST.seconds))
    throw new UsageError(`${option} ${text}: expected a number of seconds greater than 0, such as 2 or 0.5.`)
  return seconds
}

/** A parser of an option that takes an integer: `hunt` and `stepLimit`, say. */
export function parseInteger<C extends keyof typeof BOUNDS>(
  command: C,
  option: keyof (typeof BOUNDS)[C] & string,
): (text: string) => number {
  const bounds = BOUNDS[command][option] as Bounds
  return (text) => integer(`--${hyphenated(option)}`, text, bounds, expectedInteger(bounds))
}

/** `simulatedTime` as it is typed: `simulated-time`. */
export function hyphenated(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** `--seed 1,2,3`: numbers, each once, in their order. */
export function parseSeeds(text: string): number[] {
  const expected = `${expectedInteger(BOUNDS.run.seed)}, or several such as 1,2,3`
  return [
    ...new Set(text.split(',').map((part) => integer('--seed', part.trim(), BOUNDS.run.seed, expected))),
  ]
}

/** A repeatable option: appends. */
export function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text]
}

/**
 * Command-line arguments in which an option with an optional value is told from what follows: `--json` alone becomes
 * `--json=-`, so that it does not take the next argument for its value; so does `--csv`.
 */
export function separateJson(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.map((arg, index) =>
    ['--json', '--csv'].includes(arg) && (end < 0 || index < end) ? `${arg}=-` : arg,
  )
}

function integer(option: string, text: string, [least, greatest]: Bounds, expected: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= greatest)) throw new UsageError(`${option} ${text}: expected ${expected}.`)
  return value
}
