import { describe, expect, test } from 'vitest'
import { checkTopology, findTopology } from '../../src/catalog/topologies.ts'
import { structureOf } from '../../src/machine/host/structure.ts'
import { hostTopology, type Measured } from '../../src/calibrate/host_topology.ts'
import { workingSets } from '../../src/calibrate/plateaus.ts'

const MIB = 1 << 20
const milan = findTopology('milan').topology
const host = { model: 'a machine', node: 'v20', date: '2026-01-02' }

/** Two cores of two threads. */
const structure = structureOf(
  [0, 1, 2, 3].map((cpu) => ({
    ...{ cpu, core: String(cpu % 2), cluster: '0', socket: '0' },
    ...{ private: 0, llc: 8 * MIB },
  })),
  4,
)

const time = (bytes: number): number => (bytes <= MIB ? 2 : bytes <= 8 * MIB ? 15 : 100)
const measured: Measured = {
  resolution: 40,
  loops: { multiply: [1, 1.1, 1.2], atomic: [5, 5, 5], clearPage: [400], copyPage: [700] },
  chases: workingSets(64 * MIB).map((bytes) => ({ bytes, ns: [time(bytes)] })),
  transfers: [[9, 10, 11], [30]],
}

const made = (change: Partial<Measured> = {}): ReturnType<typeof hostTopology> =>
  hostTopology({ ...measured, ...change }, structure, milan, host)

describe('the topology of a host', () => {
  test('has the medians of what was measured', () => {
    const { topology, ghz } = made()
    expect(topology).toMatchObject({
      ...{ name: 'host', unit: 'ns', cpus: 4, threads: 2 },
      levels: [
        { name: 'core', cpus: 2, load: 10 },
        { name: 'cluster', cpus: 4, load: 30 },
      ],
      costs: { instructions: 1.1, hit: 2, llc: 15, memory: 100, clearPage: 400, copyPage: 700 },
      caches: { private: MIB, llc: 8 * MIB, llcCpus: 4 },
    })
    expect(ghz).toBeCloseTo(3 / 1.1)
  })

  test('has of an atomic what it takes beside a hit, and never less than nothing', () => {
    expect(made().topology.costs.atomic).toBe(3)
    const loops = { ...measured.loops, atomic: [1] }
    expect(made({ loops }).topology.costs.atomic).toBe(0)
  })

  test('takes what JavaScript does not see from the default, and says so of each', () => {
    const { topology } = made()
    for (const name of ['exception', 'interruptSend', 'interruptDelivery'] as const) {
      expect(topology.costs[name]).toBe(milan.costs[name])
      expect(topology.sources).toContainEqual(
        expect.stringMatching(new RegExp(`^not measured: costs.${name}: .*as milan`)),
      )
    }
    expect(topology.sources.filter((source) => source.startsWith('not measured'))).toHaveLength(3)
  })

  test('takes a distance that no two threads met from the default, but none below a nearer one', () => {
    expect(made({ transfers: [[], [30]] }).topology.levels[0].load).toBe(milan.levels[0].load)
    const { topology } = made({ transfers: [[60], []] })
    expect(topology.levels[1].load).toBe(60)
    expect(topology.sources).toContainEqual(expect.stringMatching(/^not measured: levels\.cluster\.load/))
  })

  test('takes memory and caches from the default where loads do not show them', () => {
    const chases = workingSets(MIB).map((bytes) => ({ bytes, ns: [2] }))
    const { costs, caches } = made({ chases }).topology
    expect([costs.llc, costs.memory, caches.private]).toEqual([
      milan.costs.llc,
      milan.costs.memory,
      milan.caches.private,
    ])
  })

  test('says which figures are noisy', () => {
    const loops = { ...measured.loops, clearPage: [100, 200, 300, 400] }
    const noisy = made({ loops }).topology.sources.filter((source) => source.includes('noisy'))
    expect(noisy).toEqual([expect.stringMatching(/^costs\.clearPage/)])
  })

  test('needs a transfer', () => {
    expect(() => made({ transfers: [[], []] })).toThrow(/transfer/)
  })

  test('can be read back as it was written', () => {
    const { topology } = made()
    expect(checkTopology(JSON.parse(JSON.stringify(topology)), 'host.json')).toEqual(topology)
  })
})
