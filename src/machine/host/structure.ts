// How the CPUs of the host lie to one another, as far as its system says: threads of a core, CPUs of a last-level
// cache, sockets. Leaves out what a distance costs. Linux says it under /sys/devices/system/cpu; elsewhere all CPUs
// count as equally far.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where one CPU lies: equal texts, the same core, last-level cache or socket. */
export interface CpuPlace {
  readonly cpu: number
  readonly core: string
  readonly cluster: string
  readonly socket: string
  /** Bytes of its largest private cache and of its last-level cache; 0: the system does not say. */
  readonly private: number
  readonly llc: number
}

export interface HostLevel {
  readonly name: LevelName
  /** CPUs of a group within which this is the greatest distance. */
  readonly cpus: number
}

/** The levels that a host can have, from the nearest to the furthest. */
export const LEVEL_NAMES = ['core', 'cluster', 'socket', 'box'] as const
export type LevelName = (typeof LEVEL_NAMES)[number]

export interface HostStructure {
  readonly cpus: number
  /**
   * Threads of a core whose second ones are numbered after all first ones, as Linux usually does; absent: neighbours
   * are near.
   */
  readonly threads?: number
  readonly levels: readonly HostLevel[]
  readonly llcCpus: number
  readonly private: number
  readonly llc: number
  /** Index in `levels` of the distance between two CPUs of the host. */
  levelOf(one: number, other: number): number
}

const SYSTEM = '/sys/devices/system/cpu'

/** The host's structure; `cpus` is how many it has, which is all that is known where the system says no more. */
export function hostStructure(cpus: number, folder: string = SYSTEM): HostStructure {
  const places = readPlaces(folder)
  return structureOf(places.length === cpus ? places : [], cpus)
}

/**
 * The structure that `places` make. Groups of one kind must have one size: else (a hybrid, CPUs that are off), and
 * without places, all `cpus` CPUs are equally far from one another.
 */
export function structureOf(places: readonly CpuPlace[], cpus: number): HostStructure {
  const keys: Readonly<Record<LevelName, (place: CpuPlace) => string>> = {
    core: (place) => place.core,
    cluster: (place) => place.cluster,
    socket: (place) => place.socket,
    box: () => '',
  }
  const byCpu = new Map(places.map((place) => [place.cpu, place]))
  const sizes = LEVEL_NAMES.map((name) => groupSize(places, keys[name]))
  const regular =
    places.length > 0 && sizes.every((size, index) => size > 0 && size % (sizes[index - 1] ?? 1) === 0)
  const { private: own, llc } = places[0] ?? { private: 0, llc: 0 }
  if (!regular) {
    const levels = [{ name: 'box' as const, cpus }]
    return { cpus, levels, llcCpus: cpus, private: own, llc, levelOf: () => 0 }
  }
  // A level that holds no more CPUs than the one before is none.
  const levels = LEVEL_NAMES.map((name, index) => ({ name, cpus: sizes[index] })).filter(
    ({ cpus: size }, index) => size > (sizes[index - 1] ?? 1),
  )
  const [threads, llcCpus] = sizes
  const first = byCpu.get(0)
  const neighbours = threads > 1 && first !== undefined && first.core === byCpu.get(1)?.core
  return {
    cpus,
    ...(threads > 1 && !neighbours ? { threads } : {}),
    levels: levels.length > 0 ? levels : [{ name: 'box', cpus }],
    llcCpus,
    private: own,
    llc,
    levelOf: (one, other) => {
      const [a, b] = [byCpu.get(one), byCpu.get(other)]
      if (a === undefined || b === undefined) return levels.length - 1
      return levels.findIndex(({ name }) => keys[name](a) === keys[name](b))
    },
  }
}

/** CPUs of each group of equal keys; 0: they differ in size. */
function groupSize(places: readonly CpuPlace[], key: (place: CpuPlace) => string): number {
  const counts = new Map<string, number>()
  for (const place of places) counts.set(key(place), (counts.get(key(place)) ?? 0) + 1)
  const sizes = new Set(counts.values())
  return sizes.size === 1 ? [...sizes][0] : 0
}

/** Empty where the system does not say. */
function readPlaces(folder: string): CpuPlace[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^cpu\d+$/.test(name))
      .filter((name) => isOnline(join(folder, name)))
      .map((name) => readPlace(join(folder, name), Number(name.slice('cpu'.length))))
      .toSorted((one, other) => one.cpu - other.cpu)
  } catch {
    return []
  }
}

/** CPU 0 of many machines cannot be off and has no file that says so. */
function isOnline(folder: string): boolean {
  try {
    return read(folder, 'online') !== '0'
  } catch {
    return true
  }
}

function readPlace(folder: string, cpu: number): CpuPlace {
  const core = read(folder, 'topology/thread_siblings_list')
  const caches = readdirSync(join(folder, 'cache'))
    .filter((name) => name.startsWith('index'))
    .filter((name) => read(folder, `cache/${name}/type`) !== 'Instruction')
    .map((name) => ({
      level: Number(read(folder, `cache/${name}/level`)),
      bytes: parseSize(read(folder, `cache/${name}/size`)),
      shared: read(folder, `cache/${name}/shared_cpu_list`),
    }))
    .toSorted((one, other) => one.level - other.level)
  const last = caches.at(-1)
  // The last level counts as shared, even if nobody is left to share it with.
  const own = caches.slice(0, -1).filter(({ shared }) => shared === core)
  return {
    cpu,
    core,
    cluster: last?.shared ?? core,
    socket: read(folder, 'topology/physical_package_id'),
    private: Math.max(0, ...own.map(({ bytes }) => bytes)),
    llc: last?.bytes ?? 0,
  }
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8').trim()
}

/** `512K`, `32M`. */
function parseSize(text: string): number {
  const [, digits, unit] = /^(\d+)([KMG]?)$/.exec(text) ?? []
  const units: Readonly<Record<string, number>> = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 }
  return digits === undefined ? 0 : Number(digits) * units[unit]
}
