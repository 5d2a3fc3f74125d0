// Topologies by name: the files of the package's folder `topologies`, the one that was measured on this machine (host),
// or a user's file by path; checked, so that an error names file and key. Leaves out what the clock makes of one:
// src/machine/clock/topology.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import { didYouMean } from '../base/nearest.ts'
import { packageRoot } from '../base/root.ts'
import { cpusOf, type Topology } from '../machine/clock/topology.ts'
import { existingFile } from '../base/paths.ts'
import { UsageError } from '../base/errors.ts'
import { DEFAULT_OUT } from '../base/output.ts'

/** The name of the topology of the machine this runs on, and where it is looked for. */
export const HOST = 'host'
export const HOST_FILE = join(DEFAULT_OUT, `${HOST}.json`)

/** What is taken when none is named. */
export const DEFAULT_TOPOLOGY = 'milan'

/** CPUs that a kernel can be built for. */
export const MOST_CPUS = 256

/** A topology that was chosen: `xeon80x2` is two boxes of xeon80. */
export interface ChosenTopology {
  readonly label: string
  readonly topology: Topology
  readonly boxes: number
  /** CPUs of all boxes. */
  readonly cpus: number
}

/** Greatest cost, in the topology's unit: a second or so. */
const MOST_COST = 1e9
/** Greatest cache in bytes: the clock keeps a word for each line of each CPU's own. */
const MOST_CACHE = 2 ** 30

const cost = v.pipe(
  v.number('expected a number'),
  v.finite('expected a finite number'),
  v.minValue(0, 'is negative'),
  v.maxValue(MOST_COST, `is more than ${MOST_COST}`),
)
const count = v.pipe(
  v.number('expected a number'),
  v.integer('expected an integer'),
  v.minValue(1, 'expected at least 1'),
)
const cache = v.pipe(
  count,
  v.maxValue(MOST_CACHE, `is more than the ${MOST_CACHE} bytes that the clock keeps`),
)
const name = v.pipe(v.string('expected a text'), v.nonEmpty('is empty'))

const SCHEMA = v.strictObject({
  name,
  description: v.string(),
  sources: v.array(v.string()),
  unit: v.picklist(['ns', 'cycles'], "expected 'ns' or 'cycles'"),
  ghz: v.optional(v.pipe(v.number(), v.gtValue(0, 'expected more than 0'))),
  cpus: v.pipe(count, v.maxValue(MOST_CPUS, `has more CPUs than the ${MOST_CPUS} that a kernel can have`)),
  threads: v.optional(count),
  levels: v.pipe(
    v.array(
      v.strictObject({
        name,
        cpus: v.optional(count),
        load: cost,
        loadShared: v.optional(cost),
        store: v.optional(cost),
        storeShared: v.optional(cost),
      }),
    ),
    v.nonEmpty('is empty'),
  ),
  between: v.optional(v.strictObject({ cpus: count, distance: v.array(v.array(name)) })),
  costs: v.strictObject({
    instructions: cost,
    hit: cost,
    atomic: cost,
    llc: cost,
    memory: cost,
    clearPage: cost,
    copyPage: cost,
    exception: cost,
    interruptSend: cost,
    interruptDelivery: cost,
  }),
  caches: v.strictObject({ private: cache, llc: cache, llcCpus: count }),
})

/** The topologies of the package, by name. */
export function builtInTopologies(
  root: string = packageRoot(),
): { readonly name: string; readonly file: string }[] {
  return readdirSync(join(root, 'topologies'))
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => ({ name: basename(file, '.json'), file: join(root, 'topologies', file) }))
}

/** The topology that `text` names: built in or a file, each with `xN` for N boxes. Throws UsageError. */
export function findTopology(text: string): ChosenTopology {
  const known = builtInTopologies()
  const match = /^(.*?)(?:x(\d{1,3}))?$/.exec(text)
  const plain = match?.[1] ?? text
  const boxes = match?.[2] === undefined ? 1 : Number(match[2])
  const found = known.find((one) => one.name === plain)
  if (found !== undefined) return chosen(text, found.file, boxes)
  if (plain === HOST) {
    if (!existsSync(HOST_FILE))
      throw new UsageError(
        `--topology ${text}: this machine has not been measured yet, there is no ${HOST_FILE}; ` +
          'mmtorture scale --calibrate measures it and writes that file.',
      )
    return chosen(text, HOST_FILE, boxes)
  }
  const path = plain.endsWith('.json') ? plain : text
  if (/[\\/]/.test(text) || path.endsWith('.json')) {
    return chosen(text, existingFile('--topology', path), path === plain ? boxes : 1)
  }
  const names = [...known.map((one) => one.name), HOST]
  const hint = didYouMean(plain, names)
  throw new UsageError(
    `--topology ${text}: there is no such topology${hint}; there are ${names.join(', ')}, or give ` +
      'the path of a .json file; xN behind it makes N boxes.',
  )
}

/**
 * A topology with other costs: `settings` are `NAME=VALUE` of its costs, in its unit. Throws UsageError for a name or
 * value that is none.
 */
export function withCosts(chosen: ChosenTopology, settings: readonly string[]): ChosenTopology {
  const costs: Record<string, number> = { ...chosen.topology.costs }
  for (const setting of settings) {
    const [, name, value] = /^(\w+)=(\d*\.?\d+)$/.exec(setting) ?? []
    if (name === undefined || !Object.hasOwn(costs, name)) {
      const names = Object.keys(costs).join(', ')
      throw new UsageError(`--cost ${setting}: expected NAME=VALUE, a cost of at least 0 of one of ${names}.`)
    }
    costs[name] = Number(value)
  }
  const topology = { ...chosen.topology, costs: costs as unknown as Topology['costs'] }
  return { ...chosen, topology }
}

function chosen(label: string, file: string, boxes: number): ChosenTopology {
  const topology = readTopology(file)
  if (boxes < 1) throw new UsageError(`--topology ${label}: expected at least one box.`)
  return { label, topology, boxes, cpus: cpusOf(topology, boxes) }
}

/** Reads and checks a topology's file. Throws UsageError naming the file and the key. */
export function readTopology(file: string): Topology {
  let document: unknown
  try {
    document = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`${file}: is not JSON: ${(error as Error).message}.`)
  }
  return checkTopology(document, file)
}

/** A document as a topology; `file` is where it lies or will lie. Throws UsageError naming the file and the key. */
export function checkTopology(document: unknown, file: string): Topology {
  const result = v.safeParse(SCHEMA, document)
  if (!result.success) {
    const [issue] = result.issues
    const key = v.getDotPath(issue) ?? 'the document'
    const what =
      issue.received === 'undefined'
        ? 'is missing'
        : issue.expected === 'never'
          ? 'is no key of a topology'
          : issue.message
    throw new UsageError(`${file}: ${key}: ${what}.`)
  }
  const topology = result.output
  const wrong = inconsistency(topology)
  if (wrong !== undefined) throw new UsageError(`${file}: ${wrong}.`)
  return topology
}

/** What does not go together in a topology; undefined: all does. */
function inconsistency(topology: Topology): string | undefined {
  const { cpus, levels, between, unit, ghz, threads = 1, caches } = topology
  if (unit === 'cycles' && ghz === undefined) return 'ghz: is missing, for costs in cycles'
  if (cpus % threads !== 0) return `threads: ${cpus} CPUs are no whole number of cores`
  if (caches.llcCpus > cpus) return `caches.llcCpus: is more than its ${cpus} CPUs`
  let inner = 1
  for (const [index, level] of levels.entries()) {
    if (level.cpus === undefined) continue
    if (level.cpus > cpus) return `levels.${index}.cpus: is more than its ${cpus} CPUs`
    if (level.cpus % inner !== 0) return `levels.${index}.cpus: is no multiple of the level before`
    inner = level.cpus
  }
  if (between === undefined)
    return inner === cpus
      ? undefined
      : `levels: the last one has ${inner} of ${cpus} CPUs, and there is no between`
  return matrixFault(topology, inner)
}

function matrixFault({ cpus, levels, between }: Topology, inner: number): string | undefined {
  const { cpus: size, distance } = between!
  if (size !== inner || cpus % size !== 0)
    return `between.cpus: expected ${inner}, as the last level with cpus has`
  const groups = cpus / size
  if (distance.length !== groups) return `between.distance: has ${distance.length} rows for ${groups} groups`
  for (const [row, names] of distance.entries()) {
    if (names.length !== groups)
      return `between.distance.${row}: has ${names.length} entries for ${groups} groups`
    for (const [column, level] of names.entries()) {
      const key = `between.distance.${row}.${column}`
      if (!levels.some((one) => one.name === level)) return `${key}: there is no level ${level}`
      if (distance[column]?.[row] !== level)
        return `${key}: is asymmetric: ${level} there, ${distance[column]?.[row]} back`
    }
  }
  return undefined
}
