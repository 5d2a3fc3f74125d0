import { describe, expect, test } from 'vitest'
import {
  hyphenated,
  parseCpus,
  parseInteger,
  parseSeconds,
  parseSimulatedTime,
  separateJson,
} from '../../src/cli/arguments.ts'
import { BOUNDS } from '../../src/base/bounds.ts'
import { hunt } from '../../src/index.ts'
import { simulatedTimeArgument } from '../../src/scale/simulated_time.ts'
import { shellQuote } from '../../src/base/shell.ts'
import { existingFile } from '../../src/base/paths.ts'

describe('--cpus', () => {
  test.each(['1', '64'])('takes %s', (text) => {
    expect(parseCpus(text)).toBe(Number(text))
  })

  test.each(['0', '65', 'two', '', '1.5', '-1', '1e1'])('refuses %j', (text) => {
    expect(() => parseCpus(text)).toThrow(`--cpus ${text}: expected a number of CPUs from 1 to 64.`)
  })
})

describe('--seconds', () => {
  test.each(['2', '0.5', '.25'])('takes %s', (text) => {
    expect(parseSeconds(text)).toBe(Number(text))
  })

  test.each(['0', '-1', 'x', 'Infinity', '1e3', '100000'])('refuses %j', (text) => {
    expect(() => parseSeconds(text)).toThrow(`--seconds ${text}: expected a number of seconds greater than 0`)
  })
})

test.each(['500ns', '1us', '2.5ms', '1s'])('%s of simulated time is written as it was read', (text) => {
  expect(simulatedTimeArgument(parseSimulatedTime(text))).toBe(text)
})

test('--seed takes what fits into a word', () => {
  expect(parseInteger('run', 'seed')('2147483647')).toBe(2 ** 31 - 1)
  expect(() => parseInteger('run', 'seed')('2147483648')).toThrow('--seed 2147483648: expected an integer')
})

describe('the command line and the library refuse the same integers', () => {
  const all = Object.entries(BOUNDS.hunt).map(([option, bounds]) => [option, ...bounds] as const)
  test.each(all)('%s', async (option, least, greatest) => {
    const parse = parseInteger('hunt', option as keyof typeof BOUNDS.hunt)
    for (const bound of [least, greatest]) expect(parse(String(bound))).toBe(bound)
    for (const value of [least - 1, greatest + 1]) {
      const sentence = `expected an integer from ${least} to ${greatest}.`
      expect(() => parse(String(value))).toThrow(`--${hyphenated(option)} ${value}: ${sentence}`)
      await expect(hunt({ [option]: value })).rejects.toThrow(`hunt(): ${option}: ${sentence}`)
    }
  })
})

test('a file must exist and be a file', () => {
  expect(() => existingFile('--patch', 'no/such.patch')).toThrow(
    '--patch no/such.patch: there is no such file.',
  )
  expect(() => existingFile('--patch', '.')).toThrow('--patch .: expected a file, this is a folder.')
})

test('--json alone does not take the argument behind it', () => {
  expect(separateJson(['run', '--json', 'same-page'])).toEqual(['run', '--json=-', 'same-page'])
  expect(separateJson(['run', '--json=x', '--', '--json'])).toEqual(['run', '--json=x', '--', '--json'])
})

test('an argument is quoted for a shell when it has to be', () => {
  expect(shellQuote('PTLOCK=pte')).toBe('PTLOCK=pte')
  expect(shellQuote("my file's")).toBe(String.raw`'my file'\''s'`)
})
