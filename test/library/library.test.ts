// The library as a program uses it: src/index.ts.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { hunt, replay, run, scale, UsageError } from '../../src/index.ts'

const RACE = { scenario: 'examples/scenarios/my-race.ts', seed: 1, executions: 200 }

test('a hunt returns its document, and replay() takes what it found', async () => {
  const found = await hunt(RACE)
  expect(found).toMatchObject({
    schema: 'mmtorture/hunt@1',
    verdict: 'violated',
    violation: { check: 'BUG' },
  })
  const again = await replay(found.replays[0])
  expect(again).toMatchObject({ verdict: 'violated', sameImage: true, violation: { check: 'BUG' } })
  expect(again.violation.report).toEqual(found.violation!.report)
})

test('equal options give equal counts', async () => {
  const options = { scenario: 'same-page', seed: 7, executions: 100 }
  const [one, other] = [await hunt(options), await hunt(options)]
  expect([other.executions, other.steps]).toEqual([one.executions, one.steps])
})

test('a run and a point of scale return their documents', async () => {
  const ran = await run({ scenario: 'same-page', cpus: 2, seconds: 0.2 })
  expect(ran).toMatchObject({ schema: 'mmtorture/run@1', cpus: 2, verdict: 'held' })
  const scaled = await scale({ scenario: 'lock-torture', cpus: [1, 2], config: ['MEMORY=8M'] })
  expect(scaled.points.map((point) => point.cpus)).toEqual([1, 2])
})

test('nothing is printed, and a file is written only where out says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmtorture-library-'))
  const printed = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  const before = readdirSync('.')
  try {
    const silent = await hunt(RACE)
    expect(silent.violation!.replay).toBeUndefined()
    const written = await hunt({ ...RACE, out: folder })
    expect(existsSync(written.violation!.replay!)).toBe(true)
    for (const spy of printed) expect(spy).not.toHaveBeenCalled()
  } finally {
    for (const spy of printed) spy.mockRestore()
    rmSync(folder, { recursive: true })
  }
  expect(readdirSync('.')).toEqual(before)
})

test('a signal ends a hunt, which says so', async () => {
  const lines: string[] = []
  const { interrupted, executions } = await hunt({
    ...{ scenario: 'same-page', seed: 1, executions: 1e9 },
    signal: AbortSignal.timeout(3000),
    progress: (line) => lines.push(line),
  })
  expect(interrupted).toBe(true)
  expect(executions).toBeGreaterThan(0)
})

describe('a bad option is refused in a sentence that names it', () => {
  test.each<[Promise<unknown>, RegExp]>([
    [hunt({ cpu: 2 } as never), /^hunt\(\): there is no option cpu \(did you mean cpus\?\)/],
    [hunt({ cpus: 0 }), /^hunt\(\): cpus: expected an integer from 1 to 64\.$/],
    [hunt({ config: ['PTLOCK=mm,pte'] }), /^hunt\(\): config: 2 configurations; call it once for each/],
    [run({ seconds: -1 }), /^run\(\): seconds: expected a number of seconds greater than 0\.$/],
    [run({ scenario: 'same-pag' }), /no scenario same-pag \(did you mean same-page\?\)/],
    [scale({ cpus: [512] }), /^scale\(\): cpus\.0: expected an integer from 1 to 256\.$/],
    [replay('no/such.json'), /no\/such\.json: there is no such file/],
    [replay({}), /the replay is no replay file/],
  ])('%#', async (call, message) => {
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toMatch(message)
  })
})

test('a hundred hunts leave no thread and no growing memory', { timeout: 300_000 }, async () => {
  const threads = (): number => readdirSync('/proc/self/task').length
  const once = (): Promise<unknown> => hunt({ scenario: 'lock-torture', seed: 1, executions: 1 })
  for (let i = 0; i < 20; i++) await once()
  const [threadsBefore, memoryBefore] = [threads(), process.memoryUsage().rss]
  for (let i = 0; i < 80; i++) await once()
  expect(threads()).toBeLessThanOrEqual(threadsBefore + 1)
  // Each hunt that leaked its machine of 1 MiB and its worker would leave 8 MiB and more.
  expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(200 * 2 ** 20)
})
