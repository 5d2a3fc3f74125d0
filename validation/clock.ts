// Runs single points on the clock for the validation. Leaves out reports: `mmtorture scale` makes them.
import { join } from 'node:path'
import { findTopology } from '../src/catalog/topologies.ts'
import { kbuild, type KernelImage, loadImage, parseConfig } from '../src/kbuild/index.ts'
import { packageRoot } from '../src/base/root.ts'
import { ClockMachine } from '../src/machine/clock/machine.ts'
import { compileTopology, type Topology } from '../src/machine/clock/topology.ts'
import type { SteppedBoot } from '../src/machine/stepped/machine.ts'

export interface Point {
  readonly machine: ClockMachine
  readonly operationsPerSecond: number
  readonly faultsPerSecond: number
}

export interface PointOptions {
  readonly cpus: number
  /** Operations a CPU; Infinity: until the scenario ends. */
  readonly operations: number
  readonly seed?: number
  readonly pages?: number
  readonly section?: number
  readonly think?: number
}

/** Costs that are not the topology's, and whether CPUs lie as far apart as there is room. */
export interface BenchOptions {
  readonly costs?: Partial<Topology['costs']>
  readonly spread?: boolean
}

/** A scenario and a configuration on a topology, of which points can be run. */
export class Bench {
  readonly image: KernelImage
  readonly #boot: SteppedBoot
  readonly #topology: Topology
  readonly #boxes: number
  readonly #spread: boolean
  #booted: Int32Array | undefined

  private constructor(
    image: KernelImage,
    boot: SteppedBoot,
    topology: Topology,
    boxes: number,
    spread: boolean,
  ) {
    this.image = image
    this.#boot = boot
    this.#topology = topology
    this.#boxes = boxes
    this.#spread = spread
  }

  /** @param scenario path from the package's folder */
  static async of(
    scenario: string,
    settings: readonly string[],
    topology: string | Topology,
    { costs = {}, spread = false }: BenchOptions = {},
  ): Promise<Bench> {
    const keys = settings.map((setting) => setting.split('=')[0])
    const usual = ['NR_CPUS=128', 'MEMORY=512M', 'TICK=4000'].filter(
      (one) => !keys.includes(one.split('=')[0]),
    )
    const config = parseConfig([...usual, ...settings])
    const image = await kbuild(config, { scenario: join(packageRoot(), scenario), image: 'stepped' })
    const boot = (await loadImage(image)) as unknown as SteppedBoot
    const found = typeof topology === 'string' ? findTopology(topology) : { topology, boxes: 1 }
    const own = { ...found.topology, costs: { ...found.topology.costs, ...costs } }
    return new Bench(image, boot, own, found.boxes, spread)
  }

  point(options: PointOptions): Point {
    const { cpus, operations, seed = 1, pages = 0, section = 0, think = 0 } = options
    const machine = new ClockMachine(this.#boot, this.image.symbols, {
      hardware: compileTopology(this.#topology, this.#boxes, cpus, this.#spread),
      ...{ seed, lag: 0, pages, section, think },
      ...(this.#booted === undefined ? {} : { booted: this.#booted }),
    })
    this.#booted = machine.booted
    const { figures, window } = machine.run({ operations, time: Infinity })
    const perSecond = (count: number): number => (count / Math.max(1, window)) * 1e12
    return {
      machine,
      operationsPerSecond: perSecond(figures.operations),
      faultsPerSecond: perSecond(machine.stat[this.image.symbols['PGFAULT']]),
    }
  }
}
