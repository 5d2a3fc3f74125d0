import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { bareGenerators } from '../../bench/bare_generators.ts'
import { benchImage, scenarioImage } from '../../bench/images.ts'
import { learned, steppedImage } from '../../bench/stepped.ts'
import { ExecutionRandom } from '../../src/step/random.ts'
import { RoundRobinScheduler } from '../../src/explore/schedulers/round_robin.ts'
import { packageRoot } from '../../src/base/root.ts'

const bench = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [join(packageRoot(), 'dist', 'bench', 'main.js'), ...args])

test('a word chooses ratios by name, and --json prints one document', async () => {
  const { stdout } = await bench('--quick', '--json', '1 GiB')
  const document = JSON.parse(stdout)
  expect(document.schema).toBe('mmtorture/bench@1')
  expect(document.ratios).toHaveLength(1)
  expect(document.ratios[0]).toMatchObject({ target: 64, sense: 'at most', unit: 'MiB', met: true })
})

test('get_page and put_page are measured on both kinds of atomics', async () => {
  const { stdout } = await bench('--quick', '--json', 'get_page')
  const { ratios } = JSON.parse(stdout)
  expect(ratios.map(({ target }: { target: number }) => target)).toEqual([0.8, 1])
})

test("a scenario's own configuration is that of its images", async () => {
  expect((await scenarioImage('swap-storm')).config).toMatchObject({ SWAP: 'y', SWAP_MAP_MAX: 2 })
  const { image, make } = await steppedImage('scenarios/fork-swapped.ts')
  expect(image.config.SWAP).toBe('y')
  const explorer = learned(make({ cpus: 2, operations: 1, pages: 1 }, true), image.sites.length)
  expect(explorer.explore(0, 16)).toMatchObject({ done: 16, violations: [] })
})

test('swap is measured on two CPUs, and its hunts against same-page', { timeout: 200_000 }, async () => {
  const { stdout } = await bench('--quick', '--json', 'swapped in and out', 'hunt of oom')
  const { ratios } = JSON.parse(stdout)
  expect(ratios).toMatchObject([
    { unit: 'million/s', target: 0.2, sense: 'at least' },
    { name: 'hunt of oom against same-page, all checks: steps', target: 0.5, sense: 'at least' },
  ])
  for (const { figure } of ratios) expect(figure).toBeGreaterThan(0)
})

test.each(['get_put', 'anon_fault', 'fork_pages'])(
  'bench/kernel/%s.ts keeps the rules of kernel code',
  async (name) => {
    await expect(benchImage(name)).resolves.toHaveProperty('symbols.MEMORY_WORDS')
  },
)

test('the common program is linked without the run queue by its patch', async () => {
  const { image, make } = await steppedImage('bench/kernel/common.ts', 'bench/kernel/common.patch')
  const { subject } = learned(make({ cpus: 2, operations: 1, pages: 1 }, true), image.sites.length)
  const { machine } = subject
  machine.exact = true
  expect(machine.run(new RoundRobinScheduler(), 0, new ExecutionRandom()).kind).toBe('held')
  // Each CPU: twice lock, read, write, unlock; one read; its end.
  expect(machine.steps).toBe(2 * (2 * 4 + 1 + 1))
})

test('the bare generators lose no update', () => {
  const execute = bareGenerators()
  for (let i = 0; i < 1000; i++) expect(execute()).toBe(true)
})

test('resetting the machine costs less than a tenth of an execution', async () => {
  const { stdout } = await bench('--quick', '--json', 'resetting')
  const { ratios } = JSON.parse(stdout)
  expect(ratios).toHaveLength(1)
  expect(ratios[0]).toMatchObject({ target: 0.1, sense: 'at most', met: true })
})

test('a word that no name has is refused with the list of names', async () => {
  await expect(bench('nonsense')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('mmtorture list'),
  })
})

test('an unknown option is refused', async () => {
  await expect(bench('--quik')).rejects.toMatchObject({ code: 2 })
})
