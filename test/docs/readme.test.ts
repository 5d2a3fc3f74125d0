// What the pages show is true: every command runs and ends as they say, its output has the shape they show, and the
// code in them is that of the examples. Runs on real threads are shortened, and their figures are not compared; those
// of hunts and predictions are. MMTORTURE_RENEW=1 writes the figures that hunts and predictions have now into the
// pages.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { allChecks } from '../../src/catalog/checks.ts'
import { builtInScenarios, TRACE_SCENARIO } from '../../src/catalog/scenarios.ts'
import { SCHEDULERS } from '../../src/explore/schedulers/index.ts'
import { CONFIG_KEYS } from '../../src/kbuild/config.ts'
import { listReverts } from '../../src/catalog/reverts.ts'
import { CHECKS } from '../../src/checks/index.ts'
import { hunt, run } from '../../src/index.ts'
import { blocks, differing, examples, isDeterministic, missing, renewed, root, shape } from './markdown.ts'

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
]
const page = (name: string): string => readFileSync(join(root, name), 'utf8')

/**
 * Where the pages find replay files, and where they are kept here meanwhile: a replay comes after the hunt that it is
 * of.
 */
const OUT = 'mmtorture-out'
const kept = mkdtempSync(join(tmpdir(), 'mmtorture-docs-'))
afterAll(() => rmSync(kept, { recursive: true }))

// A sweep is several runs, each with a kernel to build.
vi.setConfig({ testTimeout: 120_000 })

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const outcomes = new Map<string, Outcome>()

/**
 * Runs a command as the shell would take it; every window lasts `seconds`. What it writes lies in `kept`. Pages that
 * show the same share it.
 */
function mmtorture(command: string, seconds = '0.3'): Outcome {
  const text = command.replace(/^npx mmtorture /, '').replace(/--seconds \S+/, `--seconds ${seconds}`)
  const known = outcomes.get(text) ?? execute(text)
  outcomes.set(text, known)
  return known
}

function execute(text: string): Outcome {
  const args = text
    .replace(`${OUT}/`, `${kept}/`)
    .replace('--topology host', `--topology ${kept}/host.json`)
    .split(' ')
  if (['hunt', 'judge'].includes(args[0]) || args.includes('--calibrate')) args.push('--out', kept)
  const main = join(root, 'dist/src/cli/main.js')
  const result = spawnSync(process.execPath, [main, ...args], { cwd: root, encoding: 'utf8' })
  const stdout = result.stdout.replaceAll(posix.relative(root, kept), OUT).replaceAll(kept, OUT)
  return { status: result.status, stdout, stderr: result.stderr }
}

function exampleFiles(): string[] {
  return readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|patch)$/.test(file))
    .map((file) => `examples/${file.replaceAll('\\', '/')}`)
}

describe.each(PAGES.flatMap((page) => examples(page)))('$where', ({ command, where, status, shown }) => {
  test(`${command} ends as the page says, in the shape it shows`, () => {
    // What a line takes from CPU to CPU is measured on two.
    if (availableParallelism() < 2 && /--calibrate|--topology host/.test(command)) return
    // A race that is to be found gets the time the page gives it.
    const outcome = status === 0 ? mmtorture(command) : mmtorture(command, '3')
    // On real threads a race may stay away. A run that held is a whole report all the same: the page's, but for what
    // failed.
    const held = status === 1 && command.includes(' run ') && outcome.status === 0
    if (held) expect(missing(HELD, shape(outcome.stdout))).toBeUndefined()
    else expect(outcome.status, outcome.stderr + outcome.stdout).toBe(status)
    if (shown === undefined || held) return
    if (!isDeterministic(command)) expect(missing(shape(shown), shape(outcome.stdout))).toBeUndefined()
    else if (process.env.MMTORTURE_RENEW === '1') renew(where, shown, outcome.stdout)
    else expect(differing(shown, outcome.stdout), outcome.stdout).toBeUndefined()
  })
})

/** The lines of a report of a run in which nothing was found. */
const HELD = ['throughput', 'events', 'checks', 'verdict: held']

/** Puts the figures of a report into the page that shows an older one. */
function renew(where: string, shown: string, actual: string): void {
  const file = where.replace(/:\d+$/, '')
  writeFileSync(
    join(root, file),
    page(file).replace(shown, () => renewed(shown, actual)),
  )
}

describe('the pages', () => {
  test('show the code of the examples, word for word', () => {
    const sources = exampleFiles().map((file) => readFileSync(join(root, file), 'utf8'))
    const shown = PAGES.flatMap((page) => blocks(page)).filter(({ language }) =>
      ['ts', 'diff'].includes(language),
    )
    expect(shown.length).toBeGreaterThan(0)
    const foreign = shown.filter(({ text }) => !sources.some((source) => source.includes(text)))
    expect(foreign.map(({ page, line }) => `${page}:${line}`)).toEqual([])
  })

  test('run every example', () => {
    const commands = PAGES.flatMap((page) => examples(page)).map(({ command }) => command)
    expect(exampleFiles().filter((file) => !commands.some((command) => command.includes(file)))).toEqual([])
  })

  test('name only scripts that package.json has', () => {
    const scripts = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object })
      .scripts
    const named = PAGES.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/npm (?:run (\w+)|(start|test))\b/g)].map(
        (m) => m[1] ?? m[2],
      ),
    )
    expect(named).toContain('bench')
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  test('link to pages that exist', () => {
    const broken = PAGES.flatMap((page) =>
      [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([\w./-]+\.md)(?:#[\w-]+)?\)/g)]
        .map((match) => posix.join(posix.dirname(page), match[1]))
        .filter((link) => !PAGES.includes(link)),
    )
    expect(broken).toEqual([])
  })
})

describe('the README', () => {
  test('has at most 250 lines', () => {
    expect(page('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(250)
  })

  test('leads to every other page', () => {
    expect(PAGES.filter((name) => name !== 'README.md' && !page('README.md').includes(`](${name})`))).toEqual(
      [],
    )
  })
})

describe('the reference pages', () => {
  test('list every configuration key with its default', () => {
    const rows = CONFIG_KEYS.map(({ name, default: initial }) => `| \`${name}\` | \`${initial}\` |`)
    expect(rows.filter((row) => !page('docs/configuration.md').includes(row))).toEqual([])
  })

  test.each(['run', 'hunt', 'judge', 'scale', 'replay'])('list every option of %s', (command) => {
    const section = page('docs/configuration.md').split(`\n### ${command}\n`)[1]?.split('\n#')[0] ?? ''
    const options = [...mmtorture(`${command} --help`).stdout.matchAll(/^ +(?:-h, )?(--[\w-]+)/gm)].map(
      (m) => m[1],
    )
    expect(options).toContain('--json')
    expect(options.filter((name) => name !== '--help' && !section.includes(`| \`${name}`))).toEqual([])
  })

  test('list every scenario', () => {
    const names = builtInScenarios().map((scenario) => scenario.name)
    const listed = page('docs/scenarios.md')
    expect(names.filter((name) => name !== TRACE_SCENARIO && !listed.includes(`| \`${name}\``))).toEqual([])
  })

  test('describe every check in docs/checks.md', () => {
    const listed = page('docs/checks.md')
    expect(CHECKS.filter(({ id, name }) => !listed.includes(`| ${id} ${name} |`))).toEqual([])
  })
})

describe('the pages about hunts', () => {
  const hunting = readFileSync(join(root, 'docs/hunting.md'), 'utf8')

  test('list every revert as its race.md describes it', () => {
    const rows = hunting.split('\n')
    const missingRows = listReverts().filter(
      ({ id, scenario, checks, description }) =>
        !rows.includes(`| \`${id}\` | \`${scenario}\` | ${checks.join(', ')} | ${description} |`),
    )
    expect(missingRows.map(({ id }) => id)).toEqual([])
  })

  test('list every scheduler', () => {
    expect(SCHEDULERS.filter(({ name }) => !hunting.includes(`| \`${name}\` |`))).toEqual([])
  })

  test('list every check at every step and of the machine', () => {
    const page = readFileSync(join(root, 'docs/checks.md'), 'utf8')
    const checks = allChecks().filter(({ when }) => when !== 'rest')
    expect(checks.filter(({ name }) => !page.includes(`\n| \`${name}\` `))).toEqual([])
  })
})

describe('what the pages say of hunts', () => {
  const hunted = async (workers: number): Promise<object> => {
    const scenario = 'examples/scenarios/my-race.ts'
    const { violation } = await hunt({ scenario, seed: 1, executions: 64, workers })
    const { check, execution, schedule } = violation!
    return { check, execution, schedule }
  }

  test('equal commands find equal violations, with any number of workers', async () => {
    const found = await hunted(1)
    expect(found).toMatchObject({ check: 'BUG' })
    expect([await hunted(1), await hunted(2)]).toEqual([found, found])
  })
})

describe('what the pages say of their examples', () => {
  test("the striped design's locks are a class of their own in lock_stat", async () => {
    const config = ['PTLOCK=examples/ptlock/striped.ts', 'LOCK_STAT=y']
    const { locks } = await run({ scenario: 'page-fault-disjoint', cpus: 2, seconds: 0.3, config })
    expect(locks.find((row) => row.class === 'user')?.acquisitions).toBeGreaterThan(0)
    expect(locks.filter((row) => row.class.startsWith('ptlock_ptr'))).toEqual([])
  })

  test('fork breaks off when a tick asks for it, and goes on', async () => {
    const { events, verdict } = await run({ scenario: 'fork-storm', cpus: 2, seconds: 1, config: ['TICK=5'] })
    expect(verdict).toBe('held')
    expect(events['copy_pte_range_breaks_need_resched']).toBeGreaterThan(0)
  })

  // Real threads need not race: whether they did is only asserted where the patch is hunted (test/reverts).
  test(
    'without its recheck do_anonymous_page counts no retry, and a report of failure says which page or ' +
      'counter is wrong',
    async () => {
      const { verdict, events, failure, checks } = await run({
        ...{ scenario: 'same-page', cpus: 4, seconds: 3 },
        patch: ['examples/patches/no-recheck.patch'],
      })
      expect(events.retries['do_anonymous_page:write']).toBe(0)
      if (verdict === 'held') return
      const said = [
        failure?.message,
        ...checks.filter(({ ok }) => ok === false).map(({ detail }) => detail),
      ].join(' ')
      expect(said).toMatch(/page 0x|refcount|mapcount|rss/i)
    },
  )
})
