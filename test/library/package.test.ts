// A newcomer's path, from the packed tarball in a folder outside the repository: install, init, type check, run, hunt,
// scale, and each kind of file of one's own.
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blocks } from '../docs/markdown.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string

function mmtorture(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync('npx', ['--no-install', 'mmtorture', ...args], { cwd: folder, encoding: 'utf8' })
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmtorture-newcomer-'))
  // What is packed is what the tests' setup has built.
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts']
  execFileSync('npm', ['install', ...options, join(folder, packed.trim())], { cwd: folder, stdio: 'pipe' })
}, 180_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('init writes a folder whose files the editor can check, and writes over nothing', () => {
  expect(mmtorture('init')).toMatchObject({ status: 0, stderr: '' })
  const again = mmtorture('init')
  expect(again.status).toBe(2)
  expect(again.stderr).toMatch(
    /^mmtorture: init \.: my-lock\.ts is there already; choose a folder without it\.\n$/,
  )
  const tsc = join(root, 'node_modules/.bin/tsc')
  expect(spawnSync(tsc, ['-p', '.'], { cwd: folder, encoding: 'utf8' })).toMatchObject({
    stdout: '',
    status: 0,
  })
  // A type error is seen, so the types are there.
  const design = readFileSync(join(folder, 'my-lock.ts'), 'utf8')
  writeFileSync(join(folder, 'wrong.ts'), design.replace('half_lock(pmd, addr)', 'half_lock(addr, addr)'))
  expect(spawnSync(tsc, ['-p', '.'], { cwd: folder, encoding: 'utf8' }).stdout).toMatch(/wrong\.ts.*TS2345/)
  rmSync(join(folder, 'wrong.ts'))
})

test("a design of one's own is run, hunted and scaled", () => {
  const own = ['--config', 'PTLOCK=my-lock.ts']
  expect(mmtorture('run', 'same-page', '--cpus', '2', '--seconds', '0.3', ...own).stdout).toMatch(
    /verdict: held/,
  )
  expect(mmtorture('hunt', 'same-page', '--executions', '100', ...own).stdout).toMatch(
    /verdict: held, 100 exec/,
  )
  const scaled = mmtorture('scale', 'page-fault-disjoint', '--cpus', '1,2', '--operations', '20', ...own)
  expect(scaled.stdout).toMatch(/verdict: held/)
})

test("a range lock of one's own is judged", { timeout: 120_000 }, () => {
  // What the page says, with less to do.
  const walk = blocks('docs/your-lock.md').find(({ language }) => language === 'console')
  expect(walk?.text.split('\n')).toEqual([
    'npx mmtorture init',
    'npx tsc -p .',
    'npx mmtorture judge my-lock.ts pmd',
  ])
  const few = ['--scenario', 'same-page', '--executions', '64', '--cpus', '1,2', '--budget', '40']
  const { status, stdout } = mmtorture('judge', 'my-lock.ts', 'pmd', ...few)
  expect(stdout).toMatch(/^my-lock\.ts: page-table-lock design/)
  expect(stdout).toMatch(/^verdict: held as far as looked/m)
  expect(status).toBe(0)
})

test(
  "a scenario, a scheduler, a patch, a revert and a topology of one's own are taken",
  { timeout: 120_000 },
  () => {
    const example = (path: string, name: string): void => copyFileSync(join(root, path), join(folder, name))
    example('examples/schedulers/bursts.ts', 'bursts.ts')
    example('examples/patches/no-recheck.patch', 'no-recheck.patch')
    example('topologies/milan.json', 'mine.json')
    expect(mmtorture('hunt', 'my-race.ts', '--seed', '1').stdout).toMatch(/verdict: violated by BUG/)
    expect(mmtorture('replay', 'mmtorture-out/my-race-bug.json').stdout).toMatch(/kernel BUG at/)
    const bursts = mmtorture('hunt', 'same-page', '--executions', '100', '--scheduler', 'bursts.ts')
    expect(bursts.stdout).toMatch(/scheduler bursts/)
    const patched = mmtorture(
      'hunt',
      'same-page',
      '--executions',
      '500',
      '--seed',
      '1',
      '--patch',
      'no-recheck.patch',
    )
    expect(patched.stdout).toMatch(/verdict: violated/)
    const reverted = mmtorture('hunt', '--revert', 'fork-no-flush', '--seed', '1', '--executions', '1000')
    expect(reverted.stdout).toMatch(/verdict: violated/)
    const scaled = mmtorture(
      'scale',
      'lock-torture',
      '--cpus',
      '1,2',
      '--operations',
      '20',
      '--topology',
      './mine.json',
    )
    expect(scaled.stdout).toMatch(/verdict: held/)
  },
)

test('a program imports the library', () => {
  const program =
    "import { hunt } from 'mmtorture'\nconsole.log((await hunt({ scenario: 'my-race.ts', seed: 1 })).verdict)\n"
  writeFileSync(join(folder, 'program.mjs'), program)
  expect(spawnSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' }).stdout).toBe(
    'violated\n',
  )
})
