// Machines on the clock for tests: small kernels, and a topology in which every cost can be told from the others.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { kbuild, type KernelImage, loadSteppedImage, parseConfig } from '../../../src/kbuild/index.ts'
import { ClockMachine, type ClockOptions } from '../../../src/machine/clock/machine.ts'
import { compileTopology, type Topology } from '../../../src/machine/clock/topology.ts'

const folder = mkdtempSync(join(tmpdir(), 'mmtorture-clock-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Two sockets of two pairs each. */
export const SMALL: Topology = {
  name: 'small',
  description: 'for tests',
  sources: [],
  unit: 'ns',
  cpus: 8,
  levels: [
    { name: 'pair', cpus: 2, load: 20, loadShared: 15, store: 25, storeShared: 30 },
    { name: 'socket', cpus: 4, load: 50 },
    { name: 'box', cpus: 8, load: 200 },
  ],
  costs: {
    ...{ instructions: 1, hit: 2, atomic: 8, llc: 12, memory: 90, clearPage: 100, copyPage: 200 },
    ...{ exception: 500, interruptSend: 100, interruptDelivery: 1000 },
  },
  caches: { private: 8192, llc: 65536, llcCpus: 4 },
}

export interface Clocked {
  readonly image: KernelImage
  make(cpus: number, options?: Partial<ClockOptions>): ClockMachine
}

/** A scenario: a name of the package's, or the absolute path of a fixture. */
export async function clocked(scenario: string, ...settings: string[]): Promise<Clocked> {
  const file = scenario.startsWith('/')
    ? scenario
    : fileURLToPath(new URL(`../../../scenarios/${scenario}.ts`, import.meta.url))
  const config = parseConfig(['MEMORY=4M', 'PTRS_PER_TABLE=32', 'NR_CPUS=8', 'TICK=1000', ...settings])
  const image = await kbuild(config, { scenario: file, image: 'stepped', folders: [folder] })
  const boot = await loadSteppedImage(image)
  return {
    image,
    make: (cpus, options = {}) =>
      new ClockMachine(boot, image.symbols, {
        hardware: compileTopology(SMALL, 1, cpus),
        ...{ seed: 1, lag: 0, pages: 0, section: 0, think: 0 },
        ...options,
      }),
  }
}
