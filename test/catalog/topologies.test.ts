import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { builtInTopologies, findTopology, readTopology, withCosts } from '../../src/catalog/topologies.ts'
import type { Topology } from '../../src/machine/clock/topology.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-topology-'))
afterAll(() => rmSync(folder, { recursive: true }))
const xeon = builtInTopologies().find(({ name }) => name === 'xeon80')!.file

/** A file with the topology that `change` makes of xeon80. */
function changed(change: (topology: Topology & Record<string, unknown>) => void): string {
  const topology = JSON.parse(readFileSync(xeon, 'utf8')) as Topology & Record<string, unknown>
  change(topology)
  const file = join(folder, 'mine.json')
  writeFileSync(file, JSON.stringify(topology))
  return file
}

type Writable<T> = { -readonly [K in keyof T]: Writable<T[K]> }

describe('the built-in topologies', () => {
  test.each(builtInTopologies())('$name is complete and has its sources', ({ file }) => {
    expect(readTopology(file).sources.length).toBeGreaterThan(0)
  })

  test('are found by name, and as several boxes', () => {
    expect(findTopology('milan').cpus).toBe(192)
    expect(findTopology('xeon80x2')).toMatchObject({ boxes: 2, cpus: 160 })
  })

  test('an unknown name says what there is', () => {
    expect(() => findTopology('milna')).toThrow(/no such topology \(did you mean milan\?\).*xeon80/)
  })
})

test('a file is found by its path, and as several boxes', () => {
  const file = changed(() => undefined)
  expect(findTopology(file)).toMatchObject({ boxes: 1, cpus: 80 })
  expect(findTopology(`${file}x3`)).toMatchObject({ label: `${file}x3`, boxes: 3, cpus: 240 })
})

describe('a file is refused by file and key', () => {
  test.each<[string, (topology: Writable<Topology> & Record<string, unknown>) => void, RegExp]>([
    [
      'a missing cost',
      (t) => delete (t.costs as Partial<Writable<Topology>['costs']>).memory,
      /mine\.json: costs\.memory: is missing/,
    ],
    ['a negative cost', (t) => (t.costs.hit = -1), /mine\.json: costs\.hit: is negative/],
    ['a cost beyond reason', (t) => (t.costs.hit = 1e300), /mine\.json: costs\.hit: is more than/],
    [
      'a cache beyond reason',
      (t) => (t.caches.private = 2 ** 40),
      /mine\.json: caches\.private: is more than/,
    ],
    ['a negative distance', (t) => (t.levels[1].load = -5), /mine\.json: levels\.1\.load: is negative/],
    [
      'a text for a number',
      (t) => (t['cpus'] = 'many' as unknown as number),
      /mine\.json: cpus: expected a number/,
    ],
    ['an unknown key', (t) => (t['speed'] = 3), /mine\.json: speed: is no key of a topology/],
    [
      'an asymmetric distance',
      (t) => (t.between!.distance[0][1] = 'two hops'),
      /mine\.json: between\.distance\.0\.1: is asymmetric/,
    ],
    [
      'a distance of no level',
      (t) => (t.between!.distance[0][1] = 'far'),
      /between\.distance\.0\.1: there is no level far/,
    ],
    [
      'a matrix of too few rows',
      (t) => t.between!.distance.pop(),
      /between\.distance: has 7 rows for 8 groups/,
    ],
    [
      'more CPUs than it has',
      (t) => (t.levels[0].cpus = 100),
      /mine\.json: levels\.0\.cpus: is more than its 80 CPUs/,
    ],
    ['more CPUs than a kernel has', (t) => (t.cpus = 300), /mine\.json: cpus: has more CPUs than the 256/],
    [
      'cycles without a rate',
      (t) => delete (t as Partial<Topology> & { ghz?: number }).ghz,
      /mine\.json: ghz: is missing/,
    ],
    [
      'no matrix where one is needed',
      (t) => delete t.between,
      /mine\.json: levels: the last one has 10 of 80 CPUs/,
    ],
  ])('%s', (_, change, message) => {
    const file = changed(change as Parameters<typeof changed>[0])
    expect(() => findTopology(file)).toThrow(message)
  })

  test('what is no JSON', () => {
    const file = join(folder, 'broken.json')
    writeFileSync(file, '{')
    expect(() => findTopology(file)).toThrow(/broken\.json: is not JSON/)
  })
})

describe('--cost', () => {
  test('changes one cost', () => {
    expect(withCosts(findTopology('milan'), ['clearPage=3750']).topology.costs.clearPage).toBe(3750)
  })

  test.each(['clear=3', 'clearPage', 'clearPage=-1', 'toString=5'])('%s is refused', (setting) => {
    expect(() => withCosts(findTopology('milan'), [setting])).toThrow(
      `--cost ${setting}: expected NAME=VALUE`,
    )
  })
})
