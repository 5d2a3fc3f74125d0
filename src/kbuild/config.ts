// The configuration: its keys, what values they take, and what each becomes in the kernel. Leaves out what only a
// booted machine can refuse (a MEMORY too small for a scenario).
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from '../base/errors.ts'
import { expandHome } from '../base/paths.ts'
import { MIX_PARTS, MIX_PROFILES, mixConstants, parseMix } from './mix.ts'
import { didYouMean } from '../base/nearest.ts'

/** One value for each key. Paths are absolute, sizes as written (`256M`). */
export interface Configuration {
  readonly PTLOCK: string
  readonly SPINLOCK: string
  readonly LOCK_STAT: 'y' | 'n'
  readonly HOLDTIME_SAMPLE: number
  readonly NR_CPUS: number
  readonly PGTABLE_LEVELS: number
  readonly PTRS_PER_TABLE: number
  readonly MEMORY: string
  readonly PAGE_BYTES: number
  readonly NODES: number
  readonly TICK: number
  readonly FAIL_ALLOC: number
  readonly COW_REUSE: string
  readonly FAULT_LOCKING: string
  readonly FAULT_AROUND: number
  readonly VMA_LOCK: 'y' | 'n'
  readonly ATOMICS: string
  readonly PTLOCK_HASH: number
  readonly PTLOCK_RANGE: number
  readonly PARAVIRT_SPINLOCKS: 'y' | 'n'
  readonly SWAP: 'y' | 'n'
  readonly SWAP_MAP_MAX: number
  readonly MMU_GATHER_BUNDLE: number
  readonly REFCOUNT: string
  readonly AREAS: string
  readonly MIX: string
  readonly MEMCG: 'y' | 'n'
}

export type ConfigKeyName = keyof Configuration

/** A row of the table of keys. */
export interface ConfigKey {
  readonly name: ConfigKeyName
  readonly description: string
  /** The valid values in a few words, for lists and error messages. */
  readonly values: string
  readonly default: string
  /** The names to choose from, where the key is a choice. */
  readonly choices?: readonly string[]
  /** The value that `text` stands for; undefined when it is not valid. */
  parse(text: string): string | number | undefined
  /** The constants of src/kernel/config.ts that the value sets. */
  constants(value: string | number): Record<string, number>
}

export const PAGE_SIZE = 4096
/** A virtual page number fits into this many bits, and the kernel's shifts stay positive. */
export const MAX_PAGE_NUMBER_BITS = 31
const MAX_MACHINE_BYTES = 2 ** 32
const STRUCT_PAGE_BYTES = 64
/** What a node needs for its watermarks and its CPUs' lists to make sense. */
const MIN_NODE_PAGES = 64

function choice(
  name: ConfigKeyName,
  choices: readonly string[],
  initial: string,
  description: string,
  takesPath = false,
): ConfigKey {
  return {
    name,
    description,
    choices,
    values: choices.join(' | ') + (takesPath ? ' | path of your own .ts file' : ''),
    default: initial,
    parse: (text) => {
      if (choices.includes(text)) return text
      return takesPath && isPath(text) ? designFile(name, text) : undefined
    },
    // A user's own design has the index after the last built-in one.
    constants: (value) => {
      const index = choices.indexOf(String(value))
      const own = takesPath ? { [`${name}_USER`]: index < 0 ? 1 : 0 } : {}
      return { [name]: index < 0 ? choices.length : index, ...own }
    },
  }
}

function flag(name: ConfigKeyName, initial: 'y' | 'n', description: string): ConfigKey {
  return {
    name,
    description,
    choices: ['y', 'n'],
    values: 'y | n',
    default: initial,
    parse: (text) => (text === 'y' || text === 'n' ? text : undefined),
    constants: (value) => ({ [name]: value === 'y' ? 1 : 0 }),
  }
}

function integer(
  name: ConfigKeyName,
  min: number,
  max: number,
  initial: number,
  description: string,
  powerOfTwo = false,
): ConfigKey {
  return {
    name,
    description,
    values: `${powerOfTwo ? 'a power of two' : 'an integer'} from ${min} to ${max}`,
    default: String(initial),
    parse: (text) => {
      if (!/^\d{1,10}$/.test(text)) return undefined
      const value = Number(text)
      if (value < min || value > max) return undefined
      return powerOfTwo && !Number.isInteger(Math.log2(value)) ? undefined : value
    },
    constants: (value) => ({ [name]: Number(value) }),
  }
}

function memorySize(name: ConfigKeyName, initial: string, description: string): ConfigKey {
  return {
    name,
    description,
    values: 'a size from 256K to 4G such as 256M, in whole pages of 4K',
    default: initial,
    parse: (text) => {
      const bytes = parseSize(text)
      const valid = bytes !== undefined && bytes % PAGE_SIZE === 0 && bytes >= 2 ** 18 && bytes <= 2 ** 32
      return valid ? text : undefined
    },
    constants: (value) => ({ NR_PAGES: (parseSize(String(value)) ?? 0) / PAGE_SIZE }),
  }
}

/** Every configuration key, in the order in which it is listed. */
export const CONFIG_KEYS: readonly ConfigKey[] = [
  choice(
    'PTLOCK',
    ['mm', 'pte', 'pmd', 'hashed', 'range', 'rw', 'bit', 'percpu-rw', 'seq'],
    'pmd',
    'what a page-table lock covers: the mm, each PTE table, each PTE and PMD table, a hash of locks, ' +
      'or a design of docs/your-lock.md',
    true,
  ),
  choice(
    'SPINLOCK',
    ['tas', 'ttas', 'ticket', 'mcs', 'qspinlock', 'pvqspinlock', 'abstract'],
    'pvqspinlock',
    'the algorithm of every spinlock',
    true,
  ),
  flag('LOCK_STAT', 'n', 'count waits and holds of every lock class, as /proc/lock_stat does'),
  integer('HOLDTIME_SAMPLE', 1, 1_000_000, 16, 'with LOCK_STAT, one hold in this many is timed (1 is exact)'),
  integer('NR_CPUS', 1, 256, 64, 'CPUs the kernel has room for'),
  integer('PGTABLE_LEVELS', 2, 5, 4, 'levels of the page tables'),
  integer('PTRS_PER_TABLE', 8, 512, 512, 'entries of a page table', true),
  memorySize('MEMORY', '256M', 'modelled memory'),
  integer('PAGE_BYTES', 64, PAGE_SIZE, 64, 'bytes of contents that each page keeps', true),
  integer(
    'NODES',
    1,
    64,
    1,
    'memory nodes, each with a zone and its lock; CPU c is of node c modulo NODES',
    true,
  ),
  integer('TICK', 1, 1_000_000_000, 100, 'operations between two timer ticks of a CPU'),
  integer('FAIL_ALLOC', 0, 1_000_000_000, 0, 'the allocation that fails, counted from 1 (0: none)'),
  choice(
    'COW_REUSE',
    ['exclusive', 'refcount', 'mapcount'],
    'exclusive',
    'when a write to a shared page may reuse it: PageAnonExclusive, 5.8 (refcount) or before (mapcount)',
  ),
  choice(
    'FAULT_LOCKING',
    ['6.1', '2.6.10'],
    '6.1',
    'whether a fault looks at its entry without the page-table lock (6.1) or walks and decides under it (2.6.10)',
  ),
  integer(
    'FAULT_AROUND',
    1,
    64,
    1,
    'pages of an object that a read fault maps, if the object has them',
    true,
  ),
  flag('VMA_LOCK', 'n', 'a fault takes the lock of its VMA in place of mmap_lock, as from 6.4 on'),
  choice('ATOMICS', ['js', 'wasm'], 'js', 'atomics by the builtins or by a WebAssembly module'),
  integer('PTLOCK_HASH', 1, 256, 16, 'locks of PTLOCK=hashed', true),
  integer(
    'PTLOCK_RANGE',
    1,
    256,
    64,
    'entries of a table that a lock of PTLOCK=range serves: at most half of them',
    true,
  ),
  flag(
    'PARAVIRT_SPINLOCKS',
    'n',
    "on the stepped machine, spinlocks and waits by the kernel's own code instead of abstract ones",
  ),
  flag('SWAP', 'n', 'swap devices, the LRU lists and reclaim'),
  flag('MEMCG', 'n', 'user memory is charged to groups, which have limits; takes SWAP=y'),
  integer('SWAP_MAP_MAX', 1, 62, 62, 'uses of a swap slot that need no continuation page'),
  integer(
    'MMU_GATHER_BUNDLE',
    0,
    8192,
    0,
    'pages and tables that unmapping gathers before it flushes and frees them (0: as many as suit MEMORY)',
  ),
  choice(
    'REFCOUNT',
    ['atomic', 'percpu'],
    'atomic',
    'for refcount-torture alone: one shared atomic count, or a delta for each CPU',
  ),
  choice(
    'AREAS',
    ['one', 'each'],
    'one',
    'for page-fault-disjoint alone: one VMA that all threads share, or one for each thread',
  ),
  {
    name: 'MIX',
    description: `for mixed alone: how often it does what, a profile or weights of ${MIX_PARTS.join(', ')}`,
    choices: Object.keys(MIX_PROFILES),
    values: `${Object.keys(MIX_PROFILES).join(' | ')} | nine weights such as 4:4:2:1:1:1:0:1:0`,
    default: 'recorded',
    parse: parseMix,
    constants: (value) => mixConstants(String(value)),
  },
]

const KEY_NAMES = CONFIG_KEYS.map((key) => key.name)

/**
 * Bytes of a size such as `4096`, `64K`, `256M` or `1G`; undefined when `text` is not a size.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12})([KMG]?)$/i.exec(text)
  if (!match) return undefined
  return Number(match[1]) * 1024 ** ['', 'K', 'M', 'G'].indexOf(match[2].toUpperCase())
}

/** The configuration in which every key has its default. */
export function defaultConfig(): Configuration {
  return parseConfig([])
}

/**
 * The configuration that `settings` (`KEY=VALUE`, one value each) make of the defaults.
 * Throws UsageError on an unknown key or value, a key given twice, and values that do not go together.
 */
export function parseConfig(settings: readonly string[]): Configuration {
  const values = parseSettings(settings)
  for (const [name, list] of values)
    if (list.length > 1)
      throw new UsageError(`--config ${name} has ${list.length} values here, where one is expected.`)
  return complete(new Map([...values].map(([name, list]) => [name, list[0]])))
}

/** `own`, and those of `others` whose keys it leaves alone. */
export function withDefaults(own: readonly string[], others: readonly string[]): string[] {
  const keys = new Set(own.map(keyOf))
  return [...others.filter((setting) => !keys.has(keyOf(setting))), ...own]
}

/** The key of a setting `KEY=VALUE`. */
export function keyOf(setting: string): string {
  return setting.split('=')[0].trim()
}

/**
 * Every combination of the values in `settings` (`KEY=VALUE,VALUE…`); the key given first varies slowest.
 * Throws UsageError as parseConfig does.
 */
export function sweepConfig(settings: readonly string[]): Configuration[] {
  let rows: Map<string, string | number>[] = [new Map()]
  for (const [name, list] of parseSettings(settings))
    rows = rows.flatMap((row) => list.map((value) => new Map(row).set(name, value)))
  return rows.map(complete)
}

/**
 * The constants of src/kernel/config.ts that a configuration sets: choices as indices into their list (a user's file:
 * one past the last), y as 1, sizes as NR_PAGES. WEAK_MEMORY comes from the host, not from a key.
 */
export function configConstants(config: Configuration): Record<string, number> {
  const constants: Record<string, number> = {
    WEAK_MEMORY: process.arch === 'x64' || process.arch === 'ia32' ? 0 : 1,
  }
  for (const key of CONFIG_KEYS) Object.assign(constants, key.constants(config[key.name]))
  return constants
}

/** `KEY=VALUE` for each key that differs from its default. */
export function configSettings(config: Configuration): string[] {
  return CONFIG_KEYS.filter((key) => String(config[key.name]) !== key.default).map(
    (key) => `${key.name}=${config[key.name]}`,
  )
}

/**
 * Bits of a page number that each level of the page tables decodes, the lowest level first. Every level has the bits of
 * PTRS_PER_TABLE while at least one bit is left of 31 for each level above it.
 */
export function levelBits(config: Configuration): number[] {
  const full = Math.log2(config.PTRS_PER_TABLE)
  const bits: number[] = []
  let left = MAX_PAGE_NUMBER_BITS
  for (let above = config.PGTABLE_LEVELS - 1; above >= 0; above--) {
    bits.push(Math.min(full, left - above))
    left -= bits[bits.length - 1]
  }
  return bits
}

function parseSettings(settings: readonly string[]): Map<string, (string | number)[]> {
  const values = new Map<string, (string | number)[]>()
  for (const setting of settings) {
    const equals = setting.indexOf('=')
    if (equals < 0) throw new UsageError(`--config ${setting}: expected KEY=VALUE, such as PTLOCK=pte.`)
    const name = setting.slice(0, equals).trim()
    const key = CONFIG_KEYS.find((known) => known.name === name)
    if (!key) throw new UsageError(unknownKey(name))
    if (values.has(name))
      throw new UsageError(`--config ${name} is given twice; for several values write ${name}=A,B.`)
    const texts = setting.slice(equals + 1).split(',')
    values.set(
      name,
      texts.map((text) => parseValue(key, text.trim())),
    )
  }
  return values
}

function parseValue(key: ConfigKey, text: string): string | number {
  const value = key.parse(text)
  if (value !== undefined) return value
  const hint = didYouMean(text, key.choices ?? [])
  throw new UsageError(`--config ${key.name}=${text}: expected ${key.values}${hint}.`)
}

function unknownKey(name: string): string {
  return `--config ${name}: there is no such key${didYouMean(name, KEY_NAMES)}; the keys are ${KEY_NAMES.join(', ')}.`
}

function complete(values: Map<string, string | number>): Configuration {
  const entries = CONFIG_KEYS.map((key) => [key.name, values.get(key.name) ?? key.parse(key.default)])
  const config = Object.fromEntries(entries) as unknown as Configuration
  const { NR_PAGES } = configConstants(config)
  if (config.MEMCG === 'y' && config.SWAP === 'n')
    throw new UsageError('MEMCG=y takes SWAP=y: a group at its limit reclaims its own pages.')
  const lastNode = NR_PAGES - (config.NODES - 1) * Math.ceil(NR_PAGES / config.NODES)
  if (lastNode < MIN_NODE_PAGES)
    throw new UsageError(
      `NODES=${config.NODES} leaves the last node ${Math.max(0, lastNode)} pages of MEMORY=${config.MEMORY}; ` +
        `at least ${MIN_NODE_PAGES} are needed: raise MEMORY or lower NODES.`,
    )
  const bytes = NR_PAGES * (config.PAGE_BYTES + STRUCT_PAGE_BYTES + 4 * config.PTRS_PER_TABLE)
  if (bytes >= MAX_MACHINE_BYTES)
    throw new UsageError(
      `MEMORY=${config.MEMORY} with PAGE_BYTES=${config.PAGE_BYTES} would take ` +
        `${(bytes / 2 ** 30).toFixed(1)} GiB of this machine; ` +
        'the limit is 4 GiB: lower one of them, or PTRS_PER_TABLE.',
    )
  return config
}

function isPath(text: string): boolean {
  return /[\\/]/.test(text) || text.endsWith('.ts')
}

function designFile(name: string, text: string): string {
  const path = resolve(expandHome(text))
  if (!existsSync(path) || !statSync(path).isFile())
    throw new UsageError(`--config ${name}=${text}: there is no such file.`)
  if (!path.endsWith('.ts'))
    throw new UsageError(`--config ${name}=${text}: expected a TypeScript file (.ts).`)
  return path
}
