// From what was measured on a host to its topology, and to the list of what each figure is and where it is from. Leaves
// out the measuring: src/machine/host; and what is printed: src/report/calibration_text.ts.
import type { HostStructure, LevelName } from '../machine/host/structure.ts'
import type { Level, Topology } from '../machine/clock/topology.ts'
import { LINE_BYTES } from '../machine/clock/topology.ts'
import { type Figure, figureOf, isNoisy } from './figure.ts'
import { type Caches, cachesOf, type Chase } from './plateaus.ts'

/** Samples of a host, each of one round. Times in ns. */
export interface Measured {
  /** The smallest step of the clock. */
  readonly resolution: number
  /** Of one step: a dependent multiplication, an atomic addition to an owned line, clearing and copying a page. */
  readonly loops: Readonly<Record<'multiply' | 'atomic' | 'clearPage' | 'copyPage', readonly number[]>>
  /** Of one load, by ascending working sets. */
  readonly chases: readonly Chase[]
  /** Of one hand-off, by level of the structure; none: no two threads met at this distance. */
  readonly transfers: readonly (readonly number[])[]
}

/** One value of the topology. */
export interface CalibratedValue {
  /** As in the file: `costs.hit`. */
  readonly key: string
  readonly value: number
  readonly unit: 'ns' | 'bytes' | 'CPUs'
  readonly from: 'measured' | 'system' | 'default'
  /** Of what was timed directly. */
  readonly figure?: Figure
  /** How it was measured, or where it is from otherwise. */
  readonly how: string
}

export interface HostCalibration {
  readonly topology: Topology
  readonly values: readonly CalibratedValue[]
  /** Clock rate that the dependent multiplications show. */
  readonly ghz: number
}

/** What the file says of the host itself. */
export interface HostDescription {
  readonly model: string
  readonly node: string
  /** A date as 2026-11-25. */
  readonly date: string
}

/**
 * Cycles of a multiplication that needs the last one's result, on x86-64 since 2008; and those of the plain
 * instructions around an access, as the topologies of the package have them. That they are equal makes the one the
 * measure of the other, whatever the clock rate.
 */
const MULTIPLY_CYCLES = 3
const LEVELS: readonly LevelName[] = ['core', 'cluster', 'socket', 'box']
const LEVEL_MEANS: Readonly<Record<LevelName, string>> = {
  core: 'threads of one core',
  cluster: 'cores of one last-level cache',
  socket: 'cores of one socket',
  box: 'any two CPUs',
}

/**
 * The topology of a host. What was not measured is `defaults`'s, in ns, whose levels are those of LEVEL_NAMES.
 * Throws if no transfer was measured at all.
 */
export function hostTopology(
  measured: Measured,
  structure: HostStructure,
  defaults: Topology,
  host: HostDescription,
): HostCalibration {
  if (measured.transfers.every((rounds) => rounds.length === 0))
    throw new Error('a topology needs a transfer between two CPUs')
  const levels = transferValues(measured, structure, defaults)
  const caches = cachesOf(measured.chases, structure.llc)
  const values = [
    ...levels,
    ...costValues(measured, caches, defaults),
    ...cacheValues(caches, structure, defaults),
  ]
  const valueOf = (key: string): number => values.find((value) => value.key === key)!.value
  const topology: Topology = {
    name: 'host',
    description: `${host.model}, ${structure.cpus} CPUs, measured on ${host.date}`,
    sources: sourcesOf(values, defaults, host),
    unit: 'ns',
    cpus: structure.cpus,
    ...(structure.threads === undefined ? {} : { threads: structure.threads }),
    levels: structure.levels.map(({ name, cpus }, index): Level => ({
      name,
      cpus,
      load: levels[index].value,
    })),
    costs: Object.fromEntries(
      Object.keys(defaults.costs).map((name) => [name, valueOf(`costs.${name}`)]),
    ) as unknown as Topology['costs'],
    caches: {
      private: valueOf('caches.private'),
      llc: valueOf('caches.llc'),
      llcCpus: valueOf('caches.llcCpus'),
    },
  }
  return { topology, values, ghz: MULTIPLY_CYCLES / figureOf(measured.loops.multiply).median }
}

/** A value that was measured, to 10 ps. */
function fromFigure(key: string, figure: Figure, how: string): CalibratedValue {
  return { key, value: Math.round(figure.median * 100) / 100, unit: 'ns', from: 'measured', figure, how }
}

function transferValues(
  { transfers }: Measured,
  { levels }: HostStructure,
  defaults: Topology,
): CalibratedValue[] {
  const values: CalibratedValue[] = []
  for (const [index, { name }] of levels.entries()) {
    const key = `levels.${name}.load`
    if (transfers[index].length > 0)
      values.push(
        fromFigure(
          key,
          figureOf(transfers[index]),
          `compare-and-swap ping-pong, one way: ${LEVEL_MEANS[name]}`,
        ),
      )
    else {
      // Not nearer than what is nearer.
      const load = Math.max(defaults.levels[LEVELS.indexOf(name)].load, ...values.map(({ value }) => value))
      values.push({
        ...{ key, value: load, unit: 'ns', from: 'default' },
        how: `not met by two threads; as ${defaults.name}`,
      })
    }
  }
  return values
}

function costValues(
  { loops }: Measured,
  { hit, llc, memory }: Caches,
  defaults: Topology,
): CalibratedValue[] {
  const scaled = (figure: Figure, change: (value: number) => number): Figure => ({
    ...figure,
    median: change(figure.median),
    low: change(figure.low),
    high: change(figure.high),
  })
  const hitFigure = figureOf(hit)
  const fromDefault = (name: keyof Topology['costs'], why: string): CalibratedValue => ({
    ...{ key: `costs.${name}`, value: defaults.costs[name], unit: 'ns', from: 'default' },
    how: `${why}; as ${defaults.name}`,
  })
  const chased = (
    name: 'llc' | 'memory',
    rounds: readonly number[] | undefined,
    how: string,
  ): CalibratedValue =>
    rounds === undefined
      ? fromDefault(name, 'not told apart by loads')
      : fromFigure(`costs.${name}`, figureOf(rounds), how)
  const hidden = 'not to be seen from JavaScript'
  return [
    fromFigure(
      'costs.instructions',
      figureOf(loops.multiply),
      `${MULTIPLY_CYCLES} cycles: a dependent multiplication`,
    ),
    fromFigure('costs.hit', hitFigure, 'dependent loads that the first-level cache holds'),
    fromFigure(
      'costs.atomic',
      scaled(figureOf(loops.atomic), (ns) => Math.max(0, ns - hitFigure.median)),
      'an atomic addition to an owned line, less a hit',
    ),
    chased('llc', llc, 'dependent loads that the last-level cache holds'),
    chased('memory', memory, 'dependent loads from more than the caches hold'),
    fromFigure('costs.clearPage', figureOf(loops.clearPage), 'filling 4 KiB that no private cache holds'),
    fromFigure('costs.copyPage', figureOf(loops.copyPage), 'copying 4 KiB that no private cache holds'),
    fromDefault('exception', hidden),
    fromDefault('interruptSend', hidden),
    fromDefault('interruptDelivery', hidden),
  ]
}

function cacheValues(
  { privateBytes, llcBytes }: Caches,
  structure: HostStructure,
  defaults: Topology,
): CalibratedValue[] {
  const bytes = (
    name: 'private' | 'llc',
    found: number | undefined,
    order: readonly ('measured' | 'system')[],
  ): CalibratedValue => {
    const known = { measured: found ?? 0, system: structure[name] }
    const from = order.find((one) => known[one] > 0) ?? 'default'
    const value = from === 'default' ? defaults.caches[name] : known[from]
    const how = {
      measured: `where dependent loads become slower${known.system > 0 ? `; the system says ${known.system}` : ''}`,
      system: `as the system says${known.measured > 0 ? `; dependent loads become slower at ${known.measured}` : ''}`,
      default: `neither shown by loads nor said by the system; as ${defaults.name}`,
    }[from]
    const lines = Math.round(value / LINE_BYTES)
    return { key: `caches.${name}`, value: lines * LINE_BYTES, unit: 'bytes', from, how }
  }
  return [
    bytes('private', privateBytes, ['measured', 'system']),
    // How much of a shared cache loads find depends on who else uses it.
    bytes('llc', llcBytes, ['system', 'measured']),
    {
      ...{ key: 'caches.llcCpus', value: structure.llcCpus, unit: 'CPUs', from: 'system' },
      how: 'as the system says, or all',
    },
  ]
}

function sourcesOf(values: readonly CalibratedValue[], defaults: Topology, host: HostDescription): string[] {
  const text = ({ key, how, figure }: CalibratedValue): string =>
    figure === undefined
      ? `${key}: ${how}`
      : `${key}: ${how}; half of ${figure.rounds} rounds from ${figure.low.toFixed(2)} to ` +
        `${figure.high.toFixed(2)} ns${isNoisy(figure) ? ', noisy' : ''}`
  return [
    `measured by mmtorture scale --calibrate on ${host.date} with Node ${host.node}: medians`,
    ...values.filter(({ from }) => from !== 'default').map(text),
    ...values
      .filter(({ from }) => from === 'default')
      .map((value) => `not measured: ${text(value)} (${defaults.description})`),
    'between boxes: the largest distance of this one, not measured',
  ]
}
