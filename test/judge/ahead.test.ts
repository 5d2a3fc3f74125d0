// Kernels that are built ahead of their hunts.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { BuildAhead } from '../../src/judge/ahead.ts'
import { planHunt } from '../../src/hunt/plan.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-ahead-'))
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const requests = ['lock-torture', 'refcount-torture'].map((name) => {
  // Not a kernel that comes with the package.
  const { configs, scenario, patches } = planHunt(name, { config: ['PTLOCK_HASH=2'] })
  return { config: configs[0], scenario: scenario.file, patches }
})
const images = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mjs'))

test('lie in the cache before they are asked for', async () => {
  vi.stubEnv('XDG_CACHE_HOME', folder)
  const ahead = new BuildAhead(requests, 0)
  await vi.waitFor(() => expect(images()).toHaveLength(2), { timeout: 60_000, interval: 200 })
  await ahead.stop()
}, 90_000)

test('are not built where their hunts have begun, or behind the end', async () => {
  vi.stubEnv('XDG_CACHE_HOME', folder)
  const ahead = new BuildAhead(requests, 0)
  ahead.reached(1)
  await ahead.stop()
  expect(() => images()).toThrow(/ENOENT/)
})
