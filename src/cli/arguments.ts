// Parsers of option values that several commands share. Each refuses a bad value with one sentence (UsageError).
import { UsageError } from '../base/errors.ts'
import { TIME_UNITS } from '../scale/simulated_time.ts'

export const MAX_CPUS = 64

/** `--cpus N`. */
export function parseCpus(text: string): number {
  return integer('--cpus', text, 1, MAX_CPUS, `a number of CPUs from 1 to ${MAX_CPUS}`)
}

/** `--cpus 1,2,4` of scale: ascending numbers of CPUs, each once. */
export function parseCpuList(text: string): number[] {
  const list = text
    .split(',')
    .map((part) => integer('--cpus', part.trim(), 1, 256, 'numbers of CPUs from 1 to 256, such as 1,2,4,8'))
  return [...new Set(list)].toSorted((left, right) => left - right)
}

/** `--simulated-time T`: seconds of a time such as 500us, 2ms or 0.01s. */
export function parseSimulatedTime(text: string): number {
  const match = /^(\d*\.?\d+)(ns|us|ms|s)$/.exec(text)
  const seconds = match === null ? 0 : Number(match[1]) / TIME_UNITS[match[2]]
  if (!(seconds > 0 && seconds <= 10))
    throw new UsageError(
      `--simulated-time ${text}: expected a time of at most 10s with its unit, such as 500us or 2ms.`,
    )
  return seconds
}

/** `--seed N`. */
export function parseSeed(text: string): number {
  return integer('--seed', text, 0, 2 ** 31 - 1, 'an integer from 0 to 2147483647')
}

/** `--seconds S`: a positive decimal number of at most a day. */
export function parseSeconds(text: string): number {
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds > 0 && seconds <= 86_400))
    throw new UsageError(`--seconds ${text}: expected a number of seconds greater than 0, such as 2 or 0.5.`)
  return seconds
}

/** A parser of `option`, an integer from `min` to `max`. */
export function parseCount(option: string, min: number, max: number): (text: string) => number {
  return (text) => integer(option, text, min, max, `an integer from ${min} to ${max}`)
}

/** A repeatable option: appends. */
export function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text]
}

/**
 * Command-line arguments in which an option with an optional value is told from what follows: `--json` alone becomes
 * `--json=-`, so that it does not take the next argument for its value.
 */
export function separateJson(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.map((arg, index) => (arg === '--json' && (end < 0 || index < end) ? '--json=-' : arg))
}

function integer(option: string, text: string, min: number, max: number, expected: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw new UsageError(`${option} ${text}: expected ${expected}.`)
  return value
}
