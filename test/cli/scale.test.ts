import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseCpuList, parseSimulatedTime } from '../../src/cli/arguments.ts'
import { planScale, type ScaleChoices, scalePlan } from '../../src/scale/scale.ts'
import { formatScale } from '../../src/report/scale_text.ts'
import type { ScaleReport } from '../../src/scale/report.ts'
import { runCommand } from '../support/command.ts'

/** Choices of which some are still as they are typed. */
interface Typed extends Omit<ScaleChoices, 'cpus' | 'simulatedTime'> {
  readonly cpus?: string
  readonly simulatedTime?: string
}

const choices = ({ cpus, simulatedTime, ...others }: Typed): ScaleChoices => ({
  ...others,
  ...(cpus === undefined ? {} : { cpus: parseCpuList(cpus) }),
  ...(simulatedTime === undefined ? {} : { simulatedTime: parseSimulatedTime(simulatedTime) }),
})
const run = (scenario: string, options: Typed): Promise<ScaleReport> =>
  scalePlan(planScale(scenario, choices(options)))

describe('bad options are refused in a sentence', () => {
  test.each<[Typed, RegExp]>([
    [{ cpus: '0' }, /--cpus 0: expected numbers of CPUs from 1 to 256/],
    [{ cpus: '1,two' }, /--cpus two: expected/],
    [{ cpus: '512' }, /--cpus 512: expected/],
    [{ cpus: '128', topology: 'xeon80' }, /--cpus 128: xeon80 has 80 CPUs; xeon80x2 has enough/],
    [{ cpus: '8', config: ['NR_CPUS=4'] }, /--cpus 8: the kernel is built for NR_CPUS=4/],
    [{ operations: 5, simulatedTime: '1ms' }, /give one of them/],
    [{ simulatedTime: '1' }, /--simulated-time 1: expected a time/],
    [{ simulatedTime: '11s' }, /--simulated-time 11s: expected a time/],
  ])('%o', (options, message) => {
    expect(() => planScale('lock-torture', choices(options))).toThrow(message)
  })
})

const SMALL = ['MEMORY=8M']

test('equal seeds give byte-identical documents', async () => {
  const options = { cpus: '1,4', config: [...SMALL, 'SPINLOCK=ticket,mcs'], seed: 7 }
  const [first, second] = [await run('lock-torture', options), await run('lock-torture', options)]
  expect(JSON.stringify(second)).toBe(JSON.stringify(first))
  expect(first.points.map((point) => [point.config.SPINLOCK, point.cpus])).toEqual([
    ...[1, 4].map((cpus) => ['ticket', cpus]),
    ...[1, 4].map((cpus) => ['mcs', cpus]),
  ])
})

test('an interrupt within a point ends the sweep, and leaves that point out', async () => {
  const plan = planScale('lock-torture', { cpus: [1], operations: 1e9, config: SMALL })
  let samples = 0
  const signal = {
    get aborted() {
      return ++samples > 5
    },
  } as AbortSignal
  const report = await scalePlan(plan, { signal })
  expect(report).toMatchObject({ interrupted: true, points: [], verdict: 'held' })
})

test('a document has the fields that are promised', async () => {
  const report = await run('page-fault-disjoint', { cpus: '2', config: SMALL, operations: 100 })
  expect(report).toMatchObject({
    schema: 'mmtorture/scale@1',
    scenario: 'page-fault-disjoint',
    verdict: 'held',
  })
  const [point] = report.points
  expect(point.operationsPerSecond).toBeGreaterThan(1e5)
  expect(point.locks.map((lock) => lock.class)).toContain('&mm->mmap_lock-R')
  const { running, waiting, stalled, idle } = point.time!
  expect(running + waiting + stalled + idle).toBeCloseTo(1, 1)
})

test('a point without memory is reported, and the sweep goes on', async () => {
  const report = await run('page-fault-disjoint', {
    ...{ cpus: '16', operations: 200 },
    config: ['MEMORY=256K,64M'],
  })
  expect(report.points[0].failure).toMatch(/memory/)
  expect(report.points[1].operationsPerSecond).toBeGreaterThan(0)
  expect(report.verdict).toBe('held')
  expect(formatScale(report)).toMatch(/MEMORY=256K, 16 CPUs: memory ran out/)
})

test('a scenario that leaves little memory itself is not asked to be given more', async () => {
  const report = await run('oom-writer', { cpus: '4', operations: 20, config: ['MEMORY=4M'] })
  expect(report.points[0].failure).toBeUndefined()
})

describe('the allocation that FAIL_ALLOC makes fail', () => {
  const maps = fileURLToPath(new URL('fixtures/hunt_maps.ts', import.meta.url))
  const failing = async (nr: number): Promise<ScaleReport> =>
    run(maps, { cpus: '2', operations: 4, config: [...SMALL, `FAIL_ALLOC=${nr}`] })

  test('fails in the run, and is no want of memory', async () => {
    expect((await failing(1000)).verdict).toBe('held')
    expect((await failing(8)).points[0].failure).toMatch(/^CPU \d: kernel BUG/)
    const faults = { cpus: '2', operations: 100, config: [...SMALL, 'FAIL_ALLOC=100'] }
    expect((await run('page-fault-disjoint', faults)).points[0].failure).toBeUndefined()
  })

  test('asks for a greater number when the setup makes it', async () => {
    expect((await failing(3)).points[0].failure).toBe(
      "FAIL_ALLOC=3 fails an allocation of the scenario's setup; choose a greater number.",
    )
  })
})

describe('a recording', () => {
  const replayed = async (name: string): Promise<ScaleReport> =>
    scalePlan(planScale(undefined, { trace: `test/trace/fixtures/${name}.script`, cpus: [1] }))

  test('has its table and its verdict as in a run', async () => {
    const report = await replayed('map-populate')
    expect(report.verdict).toBe('held')
    expect(report.points[0].checks).toEqual([
      { name: 'trace signals', ok: true },
      { name: 'trace faults', ok: true },
    ])
    const text = formatScale(report)
    expect(text).toMatch(/^trace +recorded +faults +same kind/m)
    expect(text).toMatch(/^checks +trace signals held +trace faults held$/m)
  })

  test('that comes out otherwise is a violation with call and line', async () => {
    const report = await replayed('mremap-many-vmas')
    expect(report.verdict).toBe('violated')
    expect(report.points[0].failure).toMatch(/^trace signals: 1 fault ended .* line 6: mremap: /)
    expect(formatScale(report)).toMatch(/^ +differs: line 8: absent read: in the model a SIGSEGV$/m)
  })
})

test('the sentence names the lock that binds the curve', async () => {
  const { points } = await run('page-fault-disjoint', {
    ...{ cpus: '16', topology: 'xeon80', operations: 100 },
    config: ['MEMORY=64M', 'PTLOCK=mm', 'SPINLOCK=ticket'],
  })
  expect(points[0].bound).toMatch(
    /^at 16 CPUs \d+ % of the time is spent waiting for mm 1 page_table_lock \(&mm->page_table_lock\)$/,
  )
})

test('the sentence names the line of a lock that is not contended', async () => {
  const { points } = await run('page-fault-disjoint', {
    ...{ cpus: '32', topology: 'xeon80', operations: 100 },
    config: ['MEMORY=64M', 'PTLOCK=pte'],
  })
  expect(points[0].bound).toMatch(
    /waiting for the line of mm 1 mmap_lock \(&mm->mmap_lock\): the cache line bounces although the lock is rarely contended$/,
  )
})

test('the text has a table, a plot and what bounds the curves', async () => {
  const text = formatScale(
    await run('lock-torture', { cpus: '1,8', config: [...SMALL, 'SPINLOCK=ticket,mcs'] }),
  )
  expect(text).toMatch(/^lock-torture on milan/)
  expect(text).toMatch(/configuration +CPUs +operations\/s/)
  expect(text).toMatch(/A SPINLOCK=ticket {2}B SPINLOCK=mcs/)
  expect(text).toMatch(/SPINLOCK=mcs: .*at 8 CPUs/)
  expect(text).toMatch(/verdict: held\n$/)
})

test('a BUG is reported with its place and its stack, and with the command that hunts it', () => {
  // As a process: the stacks of what vitest imports are not those of the image's file.
  const scenario = 'test/cli/fixtures/hunt_maps.ts'
  const options = '--cpus 2 --operations 4 --revert wrprotect-plain --config MEMORY=8M --config FAIL_ALLOC=8'
  const { stdout, status } = runCommand(['scale', scenario, ...options.split(' ')])
  expect(stdout).toMatch(
    /^2 CPUs: CPU \d: kernel BUG at test\/cli\/fixtures\/hunt_maps\.ts:24 in program\nCPU: \d task .* \[here\]\n Call Trace:\n {2}BUG_ON .*\n {2}program .*:24\n {2}cpu_run /m,
  )
  expect(stdout).toContain(
    `to hunt it: mmtorture hunt ${scenario} --revert wrprotect-plain --config FAIL_ALLOC=8\n`,
  )
  expect(status).toBe(1)
})

describe('where the time goes', () => {
  test('a profile has the call graph down to get_page, and its lines with their misses', () => {
    // As a process: the stacks of what vitest imports are not those of the image's file.
    const options =
      '--cpus 4 --operations 1500 --config MEMORY=16M --profile --annotate get_page --c2c --lockstat --json'
    const { stdout } = runCommand(['scale', 'fork-storm', ...options.split(' ')])
    const report = JSON.parse(stdout) as ScaleReport
    const { profile, annotate, c2c, lockstat } = report.points[0].texts!
    expect(profile).toMatch(
      /^# Samples: [\d,]+ of event 'clock'\n# Event count \(approx\.\): \d+\n#\n# Children {6}Self/,
    )
    expect(profile).toMatch(/--\d+\.\d\d%--copy_pte_range[^]*--\d+\.\d\d%--get_page/)
    expect(annotate).toMatch(/\d+\.\d\d : +\d+ +page = compound_head\(page\) +<- .* accesses miss/)
    expect(annotate).toMatch(
      /\d+\.\d\d : +\d+ +VM_BUG_ON_PAGE\(atomic_fetch_add\(page \+ page\$_refcount, 1\).* accesses miss/,
    )
    expect(c2c).toMatch(/page _refcount +\d+ CPUs {2}(read|write) +\[k\] \w+ src\/kernel\/mm/)
    expect(lockstat).toMatch(/^lock_stat version 0\.4\n/)
  })

  test('a function without accesses is refused', async () => {
    await expect(run('lock-torture', { cpus: '1', config: SMALL, annotate: ['do_nothing'] })).rejects.toThrow(
      '--annotate do_nothing: no access of the kernel stands in a function of that name.',
    )
  })
})

test(
  'a recording is replayed to its end: fork under Apache takes references of pages that others have',
  { timeout: 180_000 },
  async () => {
    const plan = planScale(undefined, {
      ...{ trace: 'test/trace/fixtures/httpd-small.script.gz', cpus: [2], annotate: ['get_page'] },
    })
    const { points, command } = await scalePlan(plan)
    expect(points[0].failure).toBeUndefined()
    // What the image had, not the default of scale: the recording needs less.
    expect(points[0].config.MEMORY).not.toBe(plan.configs[0].MEMORY)
    expect(command).not.toContain(`MEMORY=${plan.configs[0].MEMORY}`)
    expect(points[0].texts!['annotate']).toMatch(/compound_head\(page\) +<- [\d,]+ of [\d,]+ accesses miss/)
  },
)
