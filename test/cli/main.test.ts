// The command as a user starts it: exit status, what goes where, and bad input.
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { planHunt } from '../../src/hunt/plan.ts'
import type { RunReport } from '../../src/run/report.ts'
import { planRun } from '../../src/run/run.ts'
import { planScale } from '../../src/scale/scale.ts'
import { type Ended, type Started, startCommand } from '../support/command.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mmtorture-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

const start = (args: readonly string[], stdout: 'pipe' | number = 'pipe'): Started =>
  startCommand(args, { stdout })

const mmtorture = (...args: string[]): Promise<Ended> => start(args).ended

describe('bad input is one sentence and status 2', () => {
  test.each([
    [['scale', '--topology', 'milna'], '--topology milna: there is no such topology (did you mean milan?)'],
    [['frob'], "unknown command 'frob'"],
    [['run', '--frob'], "unknown option '--frob'"],
    [['run', '--cpus', '0'], '--cpus 0: expected a number of CPUs from 1 to 64.'],
    [['run', '--cpus', '65'], '--cpus 65: expected a number of CPUs from 1 to 64.'],
    [['run', '--cpus', 'two'], '--cpus two: expected a number of CPUs from 1 to 64.'],
    [['run', '--config', 'PTLOCKS=mm'], '--config PTLOCKS: there is no such key (did you mean PTLOCK?)'],
    [['run', '--config', 'PTLOCK=mn'], '--config PTLOCK=mn: expected mm | pte | pmd | hashed'],
    [
      ['run', '--config', 'NR_CPUS=2', '--cpus', '4'],
      '--cpus 4: the kernel is built for NR_CPUS=2 CPUs at most.',
    ],
    [['hunt', '--scheduler', 'random', '--depth', '2'], '--depth 2: scheduler random has no such option'],
    [
      ['hunt', '--preemptions', '1'],
      '--preemptions 1: scheduler portfolio has no such option; it is for dfs.',
    ],
    [['run', 'no-such'], 'there is no scenario no-such'],
    [['run', 'same-page', '--trace', 'x'], '--trace replays a recording and takes no scenario'],
    [['run', '--trace', 'no/such'], '--trace no/such: there is no such file.'],
    [['run', '--patch', 'no/such'], '--patch no/such: there is no such file.'],
    [['run', 'swap-in', '--config', 'SWAP=n'], '--config SWAP=n: scenario swap-in needs SWAP=y.'],
    [['hunt', 'oom', '--config', 'SWAP=y,n'], '--config SWAP=y,n: scenario oom needs SWAP=y.'],
    [['list', 'everything'], 'list everything: expected one of scenarios, config'],
  ])('%j', async (args, sentence) => {
    const { status, stdout, stderr } = await mmtorture(...args)
    expect(stderr).toContain(`mmtorture: ${sentence}`)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })

  test('so is a design file that throws, with its line', async () => {
    const { status, stderr } = await mmtorture(
      'run',
      'same-page',
      '--config',
      `SPINLOCK=${fixture('spinlock_throws.ts')}`,
    )
    expect(stderr).toMatch(
      /spinlock_throws\.ts:14: arch_spin_unlock threw on CPU 0: Maximum call stack size exceeded\.$/m,
    )
    expect(status).toBe(2)
  })
})

test('the help of a command says what the plan takes where nothing is chosen', async () => {
  const help = async (command: string): Promise<string> =>
    (await mmtorture(command, '--help')).stdout.replaceAll(/\s+/g, ' ')
  const [run, hunt, scale] = await Promise.all(['run', 'hunt', 'scale'].map(help))
  const [ran, hunted, scaled] = [planRun(undefined, {}), planHunt(undefined, {}), planScale(undefined, {})]
  expect(run).toContain(`own file (default ${ran.label})`)
  expect(run).toMatch(
    new RegExp(`--seconds .*?\\(default ${ran.seconds};.*--seed .*?\\(default ${ran.seed}\\)`),
  )
  const options = {
    cpus: 'cpus',
    seconds: 'seconds',
    seed: 'seed',
    operations: 'operations',
    pages: 'pages',
  } as const
  // Larger forms have a part of the time.
  const seconds = hunted.larger.reduce((sum, larger) => sum + larger.seconds, hunted.seconds)
  const plan = { ...hunted, seconds }
  for (const [option, key] of Object.entries(options))
    expect(hunt).toMatch(new RegExp(`--${option} <[^(]*\\(default(?:: [^)]* or)? ${plan[key]}[;)]`))
  expect(hunt).toContain(`(default ${hunted.scheduler})`)
  expect(hunt).toContain(`(default ${hunted.stepLimit}, `)
  expect(scale).toContain(`(default ${scaled.label})`)
  expect(scale).toContain(`(default ${scaled.topology.label})`)
  for (const key of ['operations', 'seed', 'lag'] as const)
    expect(scale).toMatch(new RegExp(`--${key} <[^(]*\\(default ${scaled[key]}\\)`))
})

describe('list', () => {
  test('prints all topics', async () => {
    const { status, stdout } = await mmtorture('list')
    expect(stdout).toMatch(/^scenarios:\n {2}fork-storm /)
    expect(stdout).toContain('PTLOCK=pmd ')
    const topics = ['scenarios', 'config', 'topologies', 'reverts', 'schedulers', 'checks']
    expect([...stdout.matchAll(/^(\w+):$/gm)].map(([, topic]) => topic)).toEqual(topics)
    expect(status).toBe(0)
  })

  test('prints the reverts, with the scenario that finds each', async () => {
    expect((await mmtorture('list', 'reverts')).stdout).toMatch(/^reverts:\n {2}\S+ +.*\(scenario: \S+\)$/m)
  })

  test('writes the document into the file of --json=FILE, and prints nothing', async () => {
    const file = join(folder, 'list.json')
    const { status, stdout } = await mmtorture('list', 'checks', `--json=${file}`)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ schema: 'mmtorture/list@1' })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })

  test('prints the checks', async () => {
    expect((await mmtorture('list', 'checks')).stdout).toMatch(
      /^checks:\n {2}BUG [^]*\n {2}kcsan .*\(costs: .*\)\n {2}refcounts /,
    )
  })
})

describe('run', () => {
  test('prints the pinned document with --json and nothing else on stdout', async () => {
    const { status, stdout, stderr } = await mmtorture(
      'run',
      '--json',
      'same-page',
      '--cpus',
      '2',
      '--seconds',
      '0.3',
    )
    const report = JSON.parse(stdout) as RunReport
    expect(report).toMatchObject({
      schema: 'mmtorture/run@1',
      scenario: 'same-page',
      cpus: 2,
      verdict: 'held',
    })
    expect(report.operations).toBeGreaterThan(0)
    expect(report.events['pgfault']).toBeGreaterThan(0)
    expect(report.events.retries).toHaveProperty('do_anonymous_page:write')
    expect(report.checks.map((check) => check.name)).toContain('Q1 refcounts')
    expect(stderr).toContain('mmtorture: running for 0.3 s')
    expect(status).toBe(0)
  })

  test('prints one table for a sweep, and writes it into a folder', async () => {
    const out = join(folder, 'out')
    const args = ['--cpus', '2', '--seconds', '0.2', '--config', 'PTLOCK=mm,pte', '--out', out]
    const { status, stdout } = await mmtorture('run', 'page-fault-disjoint', ...args)
    expect(stdout).toMatch(/^PTLOCK +ops\/s/m)
    expect(stdout).toContain('verdict: held, 2 of 2 rows held')
    expect(readFileSync(join(out, 'run.txt'), 'utf8')).toBe(stdout)
    expect(
      (JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as { rows: unknown[] }).rows,
    ).toHaveLength(2)
    expect(status).toBe(0)
  })

  test('replays a recording to its end and prints what became of its faults', async () => {
    const trace = fileURLToPath(new URL('../trace/fixtures/httpd-small.script.gz', import.meta.url))
    const { status, stdout } = await mmtorture('run', '--trace', trace, '--cpus', '2', '--json')
    const report = JSON.parse(stdout) as RunReport
    const total = report.trace?.rows.find((row) => row.recorded.startsWith('write faults in areas'))
    expect(total?.faults).toBeGreaterThan(0)
    expect(report.checks).toContainEqual({ name: 'trace signals', ok: true })
    expect(report.checks).toContainEqual({ name: 'trace faults', ok: true })
    expect(report.verdict).toBe('held')
    expect(status).toBe(0)
  })

  test('reports what was done when it is interrupted, with status 130', async () => {
    const { child, ended } = start(['run', 'same-page', '--cpus', '2', '--seconds', '50'])
    child.stderr?.on('data', (data: Buffer) => {
      if (data.toString().includes('running for')) setTimeout(() => child.kill('SIGINT'), 300)
    })
    const { status, stdout } = await ended
    expect(stdout).toContain('verdict: held (interrupted)')
    expect(status).toBe(130)
  })

  test('a deadlock is a soft lockup with the lock that is waited for, and status 1', async () => {
    const spinlock = `SPINLOCK=${fixture('spinlock_never_unlocks.ts')}`
    const { status, stdout } = await mmtorture('run', 'same-page', '--cpus', '2', '--config', spinlock)
    expect(stdout).toMatch(/^watchdog: BUG: soft lockup - CPU#0 stuck for 10s!/m)
    expect(stdout).toMatch(/^CPU 0: it waits for .*lock \(word 0x[0-9a-f]+\), held by no CPU$/m)
    expect(stdout).toMatch(/^to run it again: mmtorture run same-page /m)
    expect(status).toBe(1)
  })

  test.runIf(process.platform === 'linux')(
    'a folder that cannot be made is a message and status 2',
    async () => {
      const args = ['scale', 'same-page', '--cpus', '1', '--operations', '2', '--config', 'MEMORY=8M']
      const { status, stderr } = await start([...args, '--out', '/proc/nope/deeper']).ended
      expect(status).toBe(2)
      expect(stderr).toMatch(/cannot write to \/proc\/nope\/deeper\/scale\.json: there is no such folder/)
    },
  )

  test.runIf(process.platform === 'linux')(
    'a report whose file finds no space is printed all the same, with the file named and status 2',
    async () => {
      const args = ['scale', 'same-page', '--cpus', '1', '--operations', '2', '--config', 'MEMORY=8M']
      const { status, stdout, stderr } = await mmtorture(...args, '--json=/dev/full')
      expect(stdout).toContain('same-page')
      expect(stderr).toContain('cannot write to /dev/full: no space is left; the file is missing or cut.')
      expect(status).toBe(2)
    },
  )

  test.runIf(process.platform === 'linux')('a full disk is a message and status 2', async () => {
    const { status, stderr } = await start(['list', '--json'], openSync('/dev/full', 'w')).ended
    expect(stderr).toBe('mmtorture: cannot write to stdout: no space is left.\n')
    expect(status).toBe(2)
  })

  test('a closed pipe is a message and status 2', async () => {
    const { child, ended } = start(['list'])
    child.stdout?.destroy()
    const { status, stderr } = await ended
    expect(stderr).toBe('mmtorture: cannot write to stdout: its reader has closed it.\n')
    expect(status).toBe(2)
  })
})
