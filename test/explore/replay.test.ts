import { expect, test } from 'vitest'
import type { Subject } from '../../src/explore/attempt.ts'
import { courseOf } from '../../src/explore/course.ts'
import { hunt } from '../../src/explore/hunt.ts'
import { type HistoryStep, record } from '../../src/explore/record.ts'
import { formatDifference, replay } from '../../src/explore/replay.ts'
import {
  formatReplay,
  makeReplay,
  parseReplay,
  replayCourse,
  type ReplayFile,
  type StepNames,
} from '../../src/explore/replay_file.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { type ProgramName, subjectOf } from './subject.ts'

const IMAGE = 'frozen'

function describe({ addr, site }: HistoryStep): StepNames {
  return { function: `f${site}`, file: 'programs.mjs', line: site, object: `word ${addr}` }
}

function fileOf(program: ProgramName, seed = 1): ReplayFile {
  const subject = subjectOf(program)
  const scheduler = SCHEDULERS.find(({ name }) => name === 'random')!
  const [violation] = hunt(subject, { seed, scheduler, sites: 8, executions: 100_000 }).violations
  const recording = record(subject, courseOf(violation!))
  const about = { scenario: program, config: { PTLOCK: 'pmd' }, reverts: [], patches: [], checks: [] }
  const { execution } = violation!
  const sizes = { cpus: 2, operations: 0, pages: 0 }
  return makeReplay(
    recording,
    { ...about, image: IMAGE, sizes, seed, scheduler: 'random', execution },
    describe,
  )
}

test.each(['lostUpdate', 'abba', 'needle20x4', 'drawnUpdate'] as const)(
  '%s fails the same way ten times out of ten',
  (program) => {
    for (let seed = 1; seed <= 10; seed++) {
      const file = parseReplay(formatReplay(fileOf(program, seed)), 'x.json')
      const { recording, difference } = replay(subjectOf(program), file, IMAGE, describe)
      expect(difference).toBeUndefined()
      expect(recording.finding).toMatchObject({ check: file.check, message: file.message })
      expect(recording.history).toHaveLength(file.history.length)
    }
  },
)

test('a file says what it is before its long parts', () => {
  expect(formatReplay(fileOf('lostUpdate')).split('\n').slice(0, 3)).toEqual([
    '{',
    '  "schema": "mmtorture/replay@2",',
    '  "image": "frozen",',
  ])
})

test('a file of before draws were recorded replays with those of the tasks themselves', () => {
  const { draws, ...rest } = fileOf('lostUpdate')
  const old = formatReplay({ ...rest, schema: 'mmtorture/replay@1' })
  expect(draws).toEqual([])
  expect(replayCourse(parseReplay(old, 'x.json')).draws).toBe('sequence')
  expect(
    replay(subjectOf('lostUpdate'), parseReplay(old, 'x.json'), IMAGE, describe).difference,
  ).toBeUndefined()
})

test('on another image the first step that differs is named', () => {
  const file = fileOf('needle20x2')
  const other = replay(subjectOf('needle100x2'), file, 'other', describe)
  expect(formatDifference(other.difference!)).toMatch(
    /^the replay first differs at step 21: expected CPU 0 in f1 \(programs\.mjs:1\), once_write of word 64, got CPU 0 in f0 \(programs\.mjs:0\), once_write of word 532$/,
  )
})

test('on another image that does not fail, that is the difference', () => {
  const file = fileOf('lostUpdate')
  const whole: Subject = { ...subjectOf('lostUpdate'), atRest: () => null }
  expect(formatDifference(replay(whole, file, 'other', describe).difference!)).toBe(
    'the replay first differs at step 4: expected counter to fail (the counter is 1), got an ' +
      'execution in which everything held',
  )
})

test.each([
  [
    'truncated',
    (text: string) => text.slice(0, 300),
    'x.json is truncated: it ends in the middle, after 300 characters.',
  ],
  ['empty', () => '', 'x.json is no replay file: expected JSON with "schema": "mmtorture/replay@2".'],
  [
    'another version',
    (text: string) => text.replace('replay@2', 'replay@7'),
    'x.json is a replay file of another version, mmtorture/replay@7; this mmtorture reads mmtorture/replay@2.',
  ],
  [
    'another document',
    () => '{"schema":"mmtorture/run@1"}',
    'x.json is no replay file: expected "schema": "mmtorture/replay@2".',
  ],
  [
    'a field of the wrong type',
    (text: string) => text.replace('"seed": 1', '"seed": "one"'),
    'x.json is damaged: at seed, invalid type: Expected number but received "one".',
  ],
  [
    'a context that is not there',
    (text: string) => text.replace('[[0,', '[[0,9],[0,'),
    'x.json is damaged: schedule.0 names context 9, and there are 4.',
  ],
])('a file that is %s is refused with the reason', (_what, damage, message) => {
  expect(() => parseReplay(damage(formatReplay(fileOf('lostUpdate'))), 'x.json')).toThrow(message)
})
