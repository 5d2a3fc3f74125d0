// hunt and replay as a user starts them, on small scenarios: exit status, documents, replay files, and bad input.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import type { HuntReport } from '../../src/hunt/report.ts'
import type { HuntSweep } from '../../src/hunt/sweep.ts'
import { type Ended, startCommand } from '../support/command.ts'

const scenario = (name: string): string => fileURLToPath(new URL(`fixtures/hunt_${name}.ts`, import.meta.url))
const scheduler = (name: string): string =>
  fileURLToPath(new URL(`fixtures/scheduler_${name}.ts`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mmtorture-hunt-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the command; `interrupt`: milliseconds after which it gets a Ctrl-C. */
function mmtorture(args: readonly string[], interrupt?: number): Promise<Ended> {
  const { child, ended } = startCommand(args, { cwd: folder })
  if (interrupt !== undefined) setTimeout(() => child.kill('SIGINT'), interrupt)
  return ended
}

const hunt = (...args: string[]): Promise<Ended> => mmtorture(['hunt', ...args])

async function huntJson(...args: string[]): Promise<{ status: number | null; report: HuntReport }> {
  const { status, stdout, stderr } = await hunt(...args, '--json')
  if (stdout === '') throw new Error(stderr)
  return { status, report: JSON.parse(stdout) as HuntReport }
}

describe('a scenario that holds', () => {
  test('ends with status 0 after as many executions as asked for', async () => {
    const { status, report } = await huntJson(scenario('held'), '--executions', '200', '--no-check', 'steps')
    expect(status).toBe(0)
    expect(report).toMatchObject({
      schema: 'mmtorture/hunt@1',
      ...{
        verdict: 'held',
        executions: 200,
        seed: 1,
        cpus: 2,
        operations: 2,
        pages: 3,
        scheduler: 'portfolio',
      },
      config: { SPINLOCK: 'abstract', MEMORY: '1M', PTRS_PER_TABLE: 8, PGTABLE_LEVELS: 3, NR_CPUS: 2 },
    })
    expect(report.violation).toBeUndefined()
    expect(report.steps).toBeGreaterThan(200 * 10)
    expect(report.distinctSchedules).toBeGreaterThan(100)
    expect(report.conflictPairs).toBeGreaterThan(0)
    expect(report.lines.reached).toBeGreaterThan(0)
  })

  test('is looked at in larger forms too, unless sizes are given', async () => {
    const args = [scenario('held'), '--executions', '320', '--no-check', 'steps']
    const { report } = await huntJson(...args)
    expect(report.executions).toBe(260)
    expect(report.forms).toEqual([
      { cpus: 2, operations: 2, pages: 3, executions: 260, learning: 72, verdict: 'held' },
      { cpus: 3, operations: 2, pages: 3, executions: 20, learning: 72, verdict: 'held' },
      { cpus: 2, operations: 8, pages: 3, executions: 20, learning: 72, verdict: 'held' },
      { cpus: 3, operations: 4, pages: 6, executions: 20, learning: 72, verdict: 'held' },
    ])
    const chosen = await huntJson(...args, '--pages', '3')
    expect(chosen.report).toMatchObject({ executions: 320 })
    expect(chosen.report.forms).toBeUndefined()
  })

  test('says which defaults a hunt took, and takes what --config says', async () => {
    const { stdout } = await hunt(scenario('held'), '--executions', '1', '--config', 'PTRS_PER_TABLE=16')
    expect(stdout).toContain('a hunt takes SPINLOCK=abstract, MEMORY=1M, PGTABLE_LEVELS=3, NR_CPUS=2 unless')
    expect(stdout).toContain('PTRS_PER_TABLE=16')
  })

  test('is explored to the end by an exhaustive search', async () => {
    const args = ['--scheduler', 'dfs', '--preemptions', '0', '--no-check', 'steps', '--seconds', '20']
    const { status, report } = await huntJson(scenario('held'), ...args)
    expect(report.exhausted).toBe(true)
    expect(report.scheduler).toBe('dfs-0')
    expect(status).toBe(0)
  })

  test('is reported when it is interrupted, with status 130', async () => {
    const args = ['hunt', scenario('held'), '--seconds', '60', '--no-check', 'steps']
    const { status, stdout } = await mmtorture(args, 4000)
    expect(stdout).toContain('verdict: held (interrupted)')
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^to run it again: mmtorture hunt /)
    expect(status).toBe(130)
  })

  test('is a row for each configuration of a sweep', async () => {
    const args = ['--executions', '20', '--config', 'PTLOCK=mm,pte', '--json']
    const { status, stdout } = await hunt(scenario('held'), ...args)
    const sweep = JSON.parse(stdout) as HuntSweep
    expect(sweep.rows.map((row) => row.config.PTLOCK)).toEqual(['mm', 'pte'])
    expect(sweep.verdict).toBe('held')
    expect(status).toBe(0)
  })

  test('is a row for each scenario named, with what they reached together', async () => {
    const args = ['--executions', '20', '--no-check', 'steps', '--json']
    const { stdout } = await hunt(scenario('held'), 'lock-torture', ...args)
    const { rows, together } = JSON.parse(stdout) as HuntSweep
    expect(rows.map((row) => row.executions)).toEqual([20, 20])
    expect(together.executions).toBe(40)
    expect(together.lines.reached).toBeGreaterThan(Math.max(...rows.map((row) => row.lines.reached)))
    expect(Object.keys(together.sourceLines)).toContain('scenarios/lock-torture.ts')
  })
})

describe('what a scenario declares', () => {
  const declared = (...args: string[]): ReturnType<typeof huntJson> =>
    huntJson(scenario('declared'), '--no-check', 'steps', ...args)

  test('is taken by its hunt, which names what was not reached and is violated by what does not come', async () => {
    const { status, report } = await declared('--executions', '20')
    expect(report).toMatchObject({ operations: 1, pages: 1, notReached: ['copy_page_range', 'pswpout'] })
    expect(report.unmet).toEqual([{ event: 'forks', in: 10, count: 0 }])
    expect({ status, verdict: report.verdict }).toEqual({ status: 1, verdict: 'violated' })
  })

  test('is not expected in other sizes', async () => {
    const { status, report } = await declared('--executions', '20', '--operations', '2')
    expect({ status, unmet: report.unmet }).toEqual({ status: 0, unmet: undefined })
  })

  test('is in the text', async () => {
    const { stdout } = await hunt(scenario('declared'), '--executions', '20', '--no-check', 'steps')
    expect(stdout).toContain('not reached copy_page_range  pswpout\n')
    expect(stdout).toContain(
      'verdict: violated by progress: forks 0 times, which the scenario expects once in 10 executions\n',
    )
  })
})

describe('an allocation that FAIL_ALLOC makes fail', () => {
  const failing = (nr: number): string[] => [
    ...[scenario('maps'), '--executions', '200'],
    ...['--config', `FAIL_ALLOC=${nr}`, '--out', 'failed'],
  ]

  test('fails in the executions of a hunt, each of which counts anew, and in the replay', async () => {
    expect((await hunt(scenario('maps'), '--executions', '200')).status).toBe(0)
    const { status, report } = await huntJson(...failing(8), '--keep-going')
    expect(status).toBe(1)
    expect(report.violation?.check).toBe('BUG')
    // The BUG_ON around the call, not the step before it in the call.
    expect(report.violation?.message).toMatch(/^kernel BUG at .*hunt_maps\.ts:24!$/)
    expect(report.violation?.cpus.find((cpu) => cpu.failed)?.stack.map((frame) => frame.function)).toEqual([
      'BUG_ON',
      'program',
      'cpu_run',
    ])
    expect(report.executions).toBe(200)
    expect(report.violations?.reduce((sum, violation) => sum + violation.count, 0)).toBeGreaterThan(100)
    const replayed = await mmtorture(['replay', report.violation!.replay!])
    expect(replayed.stderr).toBe('')
    expect(replayed.stdout).toContain('hunt_maps.ts')
    expect(replayed.status).toBe(1)
  })

  test('is refused in a sentence when the setup makes it', async () => {
    const { status, stderr } = await hunt(...failing(3))
    expect(stderr).toContain(
      "FAIL_ALLOC=3 fails an allocation of the scenario's setup; choose a greater number.",
    )
    expect(status).toBe(2)
  })
})

describe('a violation', () => {
  test('has the fields of the document, and a replay file', async () => {
    const { status, report } = await huntJson(scenario('lost_update'))
    expect(status).toBe(1)
    expect(report.verdict).toBe('violated')
    const { violation } = report
    expect(violation).toMatchObject({
      check: 'BUG',
      message: expect.stringMatching(/^kernel BUG at .*hunt_lost_update\.ts:\d+!$/) as string,
      ofScenario: true,
      seed: 1,
      shrunk: { switches: 2 },
    })
    const writes = violation?.interleaving.filter((row) => row.access === 'WRITE_ONCE')
    expect(writes?.map(({ cpu, function: fn, object, old, value }) => [cpu, fn, object, old, value])).toEqual(
      [
        [expect.any(Number), 'program', 'scenario word 0', 0, 1],
        [expect.any(Number), 'program', 'scenario word 0', 1, 1],
      ],
    )
    const replay = JSON.parse(readFileSync(join(folder, violation?.replay ?? ''), 'utf8')) as {
      schema: string
    }
    expect(replay.schema).toBe('mmtorture/replay@2')
  })

  test('ends with the command that replays it, which fails in the same way every time', async () => {
    const { stdout } = await hunt(scenario('lost_update'), '--out', 'replayed')
    const command = /^to replay it: mmtorture (replay .*)$/.exec(
      stdout.trimEnd().split('\n').at(-1) ?? '',
    )?.[1]
    expect(command).toMatch(/^replay replayed\/hunt_lost_update-bug\.json$/)
    expect(readdirSync(join(folder, 'replayed')).toSorted()).toEqual([
      'hunt.json',
      'hunt.txt',
      'hunt_lost_update-bug.json',
    ])
    const first = await mmtorture(command?.split(' ') ?? [])
    const second = await mmtorture(command?.split(' ') ?? [])
    expect(first.status).toBe(1)
    expect(first.stdout).toContain('violation of BUG')
    expect(second).toEqual(first)
  })

  test('keeps the replay files of other runs, and has one file for the same again', async () => {
    const replayOf = async (seed: number): Promise<string | undefined> =>
      (await huntJson(scenario('lost_update'), '--seed', `${seed}`, '--out', 'kept')).report.violation?.replay
    expect(await replayOf(1)).toBe('kept/hunt_lost_update-bug.json')
    const first = readFileSync(join(folder, 'kept/hunt_lost_update-bug.json'), 'utf8')
    expect(await replayOf(2)).toBe('kept/hunt_lost_update-bug-2.json')
    expect(await replayOf(1)).toBe('kept/hunt_lost_update-bug.json')
    expect(readFileSync(join(folder, 'kept/hunt_lost_update-bug.json'), 'utf8')).toBe(first)
    expect(readdirSync(join(folder, 'kept'))).toHaveLength(4)
  })

  test('does not depend on the number of workers', async () => {
    const one = await huntJson(scenario('lost_update'), '--workers', '1', '--seed', '5')
    const two = await huntJson(scenario('lost_update'), '--workers', '2', '--seed', '5')
    expect(two.report.violation?.check).toEqual(one.report.violation?.check)
    expect(two.report.violation?.schedule).toEqual(one.report.violation?.schedule)
    expect(two.report.violation?.execution).toBe(one.report.violation?.execution)
  })

  test('goes on with --keep-going and counts', async () => {
    const args = ['--keep-going', '--operations', '2', '--executions', '300', '--check', 'rest']
    const { status, report } = await huntJson(scenario('lost_update'), ...args)
    expect(status).toBe(1)
    expect(report.executions).toBe(300)
    expect(report.violations?.[0].count).toBeGreaterThan(1)
  })

  test('of a deadlock says who waits for what and who holds it', async () => {
    const { status, stdout } = await hunt(scenario('deadlock'), '--no-check', 'lockdep')
    expect(stdout).toContain('BUG: deadlock: no CPU can go on')
    expect(stdout).toMatch(/^ CPU 0 waits for scenario word 1 \(word 0x\w+\), held by CPU 1$/m)
    expect(stdout).toMatch(/^ CPU 1 waits for scenario word 0 \(word 0x\w+\), held by CPU 0$/m)
    expect(stdout).toMatch(/^ {2}program .*hunt_deadlock\.ts:\d+$/m)
    expect(status).toBe(1)
  })

  test('of a program without end is a livelock, not a hang', async () => {
    const { status, stdout } = await hunt(scenario('endless'), '--step-limit', '3000')
    expect(stdout).toMatch(/watchdog: BUG: soft lockup - CPU#\d stuck: no turn ends for 3000 steps/)
    expect(stdout).toMatch(/^RIP: program .*hunt_endless\.ts:9, READ_ONCE scenario word 0: 0$/m)
    expect(status).toBe(1)
  })

  test('is told with every step when asked', async () => {
    const args = [scenario('lost_update'), '--executions', '100']
    const short = await huntJson(...args)
    const long = await huntJson(...args, '--verbose')
    // The end of a CPU counts as a step, and is no access.
    expect(long.report.violation?.interleaving.length).toBeGreaterThan(
      (long.report.violation?.shrunk?.steps ?? 0) - 4,
    )
    expect(short.report.violation?.interleaving.length).toBeLessThan(40)
  })

  test('of a reverted fix names entries of page tables and says what they held', async () => {
    const args = ['same-page', '--revert', 'no-recheck-do-anonymous-page-write', '--executions', '5000']
    const { status, report } = await huntJson(...args)
    expect(status).toBe(1)
    const texts = report.violation?.interleaving.map((row) => row.text).join('\n')
    expect(texts).toMatch(/pte\[mm 1, 0x[0-9a-f]+\] none -> pfn 0x[0-9a-f]+ rw/)
    expect(report.violation?.cpus.flatMap((cpu) => cpu.holds).join(', ')).toMatch(/mm 1 mmap_lock/)
  })

  test("is found by a user's scheduler too", async () => {
    const { status, report } = await huntJson(
      ...[scenario('held'), '--scheduler', scheduler('last'), '--executions', '50'],
      ...['--no-check', 'steps'],
    )
    expect(report.scheduler).toBe('last')
    expect(status).toBe(0)
  })
})

describe('a replay file', () => {
  const file = (): string => join(folder, 'replayed', 'hunt_lost_update-bug.json')
  const changed = (name: string, change: (text: string) => string): string => {
    const path = join(folder, name)
    writeFileSync(path, change(readFileSync(file(), 'utf8')))
    return path
  }

  test.each([
    ['truncated', (text: string) => text.slice(0, 2000), /is truncated/],
    ['of another version', (text: string) => text.replace('replay@2', 'replay@9'), /of another version/],
    ['that is none', () => '{}', /is no replay file/],
    [
      'of another kernel',
      (text: string) => text.replaceAll('"program"', '"other"'),
      /first differs at step \d+/,
    ],
  ])('%s is refused with the reason', async (name, change, reason) => {
    const { status, stdout, stderr } = await mmtorture(['replay', changed(`${name}.json`, change)])
    expect(stderr).toMatch(reason)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })

  test('of another kernel says which CPU, function, access and object were expected', async () => {
    const path = changed('differs.json', (text) => text.replaceAll('"program"', '"other"'))
    const { stderr } = await mmtorture(['replay', path])
    expect(stderr).toMatch(
      /expected CPU \d in other \(.*hunt_lost_update\.ts:\d+\), once_read of scenario word 0; got CPU \d in program/,
    )
  })

  test('can be printed as JSON', async () => {
    const { stdout } = await mmtorture(['replay', file(), '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'mmtorture/replay-report@1',
      verdict: 'violated',
      sameImage: true,
      violation: { check: 'BUG' },
    })
  })
})

describe('bad input is one sentence and status 2', () => {
  test.each([
    [['hunt', 'no-such'], 'there is no scenario no-such'],
    [['hunt', '--cpus', '65'], '--cpus 65: expected a number of CPUs from 1 to 64.'],
    [['hunt', '--executions', '0'], '--executions 0: expected an integer from 1 to'],
    [
      ['hunt', '--scheduler', 'rando'],
      '--scheduler rando: there is no such scheduler (did you mean random?)',
    ],
    [['hunt', '--scheduler', './no.ts'], '--scheduler ./no.ts: there is no such file.'],
    [['hunt', '--no-check', 'kcsam'], '--no-check kcsam: there is no such check (did you mean kcsan?)'],
    [
      ['hunt', '--no-check', 'deadlock'],
      '--no-check deadlock: this check is part of the machine and is always on.',
    ],
    [['hunt', '--revert', 'no-such'], 'no-such'],
    [['hunt', '--patch', 'no/such'], '--patch no/such: there is no such file.'],
    [
      ['hunt', '--config', 'NR_CPUS=2', '--cpus', '3'],
      '--cpus 3: the kernel is built for NR_CPUS=2 CPUs at most.',
    ],
    [['hunt', scenario('throws')], 'hunt_throws.ts:'],
    [['hunt', scenario('no_setup')], 'hunt_no_setup.ts: its setup failed with EINVAL.'],
    [
      ['hunt', scenario('lost_update'), '--scheduler', scheduler('throws')],
      'scheduler_throws.ts:6: the scheduler threw',
    ],
    [['replay', 'no/such'], 'replay no/such: there is no such file.'],
  ])('%j', async (args, sentence) => {
    const { status, stdout, stderr } = await mmtorture(args)
    expect(stderr).toContain(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })
})

describe('list', () => {
  test.each([
    ['schedulers', 'portfolio'],
    ['checks', 'lockdep'],
    ['reverts', 'no-recheck-handle-pte-fault'],
  ])('names %s', async (topic, name) => {
    const { status, stdout } = await mmtorture(['list', topic, '--json'])
    const lists = JSON.parse(stdout) as Record<string, { name: string }[]>
    expect(lists[topic].map((entry) => entry.name)).toContain(name)
    expect(status).toBe(0)
  })
})

describe('what cannot be written', () => {
  test('is said before the hunt, where that shows then', async () => {
    writeFileSync(join(folder, 'a-file'), '')
    const args = [scenario('lost_update'), '--seed', '1', '--executions', '1000']
    const { status, stdout, stderr } = await hunt(...args, '--out', 'a-file/below')
    expect(stderr).toMatch(
      /^mmtorture: cannot write to a-file\/below.*: a part of the path is no folder\.\n$/,
    )
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })

  test('takes nothing of the report along, and is named after it', async () => {
    // A replay file has the scenario's name and more: too long for a file.
    const long = join(folder, `${'x'.repeat(250)}.ts`)
    writeFileSync(long, readFileSync(scenario('lost_update')))
    const { status, stdout, stderr } = await hunt(long, '--seed', '1', '--executions', '1000')
    expect(stdout).toMatch(/^verdict: violated by /m)
    expect(stdout).toMatch(/^The order that makes it:$/m)
    expect(stdout).not.toContain('to replay it')
    expect(stderr).toMatch(/^mmtorture: cannot write to .*x\.?.*json: .*; the file is missing or cut\.$/m)
    expect(status).toBe(2)
  })

  test('of a replay is said before it', async () => {
    const { status, stdout, stderr } = await mmtorture(['replay', 'no-such.json', '--json=a-file/below'])
    expect(stderr).toMatch(/^mmtorture: cannot write to a-file\/below/)
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })
})
