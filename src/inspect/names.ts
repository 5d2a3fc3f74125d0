// What a word of the machine's memory is, in the kernel's words: "mm 3 mmap_lock", "page 0x1a3 _refcount". All reports
// name addresses through this file. Leaves out values: only where a word lies matters, and which object it belongs to.
import { type SymbolTable, type MachineView, symbol } from './symbols.ts'

/**
 * An array of objects of one kind: symbols of its first word, its objects' size and their number, and the struct's
 * name.
 */
interface Region {
  readonly base: string
  readonly words: string
  readonly count: string
  readonly struct: string
  readonly name: (view: MachineView, index: number, object: number) => string
}

const REGIONS: readonly Region[] = [
  {
    base: 'PERCPU',
    words: 'PERCPU_WORDS',
    count: 'NR_CPUS',
    struct: 'percpu',
    name: (_, index) => `CPU ${index}`,
  },
  {
    base: 'ZONES',
    words: 'ZONE_WORDS',
    count: 'NODES',
    struct: 'zone',
    name: (view, index) => (view.symbols['NODES'] === 1 ? 'zone' : `zone ${index}`),
  },
  {
    base: 'RQ',
    words: 'RQ_WORDS',
    count: 'NR_CPUS',
    struct: 'rq',
    name: (_, index) => `run queue ${index}`,
  },
  plain('FUTEX_QUEUES', 'FUTEX_QUEUE_WORDS', 'NR_FUTEX_QUEUES', 'futex_queue'),
  plain('LRUVECS', 'LRUVEC_WORDS', 'NR_LRUVECS', 'lruvec'),
  plain('MEM_CGROUPS', 'MEM_CGROUP_WORDS', 'NR_MEM_CGROUPS', 'mem_cgroup'),
  {
    base: 'PAGE_WAIT',
    words: 'WAIT_QUEUE_HEAD_WORDS',
    count: 'PAGE_WAIT_TABLE_SIZE',
    struct: 'wait_queue_head',
    name: (_, index) => `page wait queue ${index}`,
  },
  {
    base: 'KMEM_CACHES',
    words: 'KMEM_CACHE_WORDS',
    count: 'NR_KMEM_CACHES',
    struct: 'kmem_cache',
    name: (view, _, object) => `object cache ${cacheName(view.symbols, object)}`,
  },
  {
    base: 'KMEM_CACHE_NODES',
    words: 'KMEM_CACHE_NODE_WORDS',
    count: 'NR_KMEM_CACHES',
    struct: 'kmem_cache_node',
    name: (view, index) => {
      const { KMEM_CACHES: first, KMEM_CACHE_WORDS: words } = view.symbols
      return `object cache ${cacheName(view.symbols, first + index * words)} node`
    },
  },
  plain('SLABS', 'SLAB_WORDS', 'NR_SLABS', 'slab'),
  {
    base: 'TASKS',
    words: 'TASK_WORDS',
    count: 'NR_TASKS',
    struct: 'task',
    name: (view, _, object) => `task ${view.memory[object + symbol(view.symbols, 'task$pid')]}`,
  },
  {
    base: 'MMS',
    words: 'MM_WORDS',
    count: 'NR_MMS',
    struct: 'mm',
    name: (view, _, object) => `mm ${view.memory[object + symbol(view.symbols, 'mm$id')]}`,
  },
  {
    base: 'VMAS',
    words: 'VMA_WORDS',
    count: 'NR_VMAS',
    struct: 'vma',
    name: (view, index, object) => {
      const start = view.memory[object + symbol(view.symbols, 'vma$vm_start')]
      const end = view.memory[object + symbol(view.symbols, 'vma$vm_end')]
      return `vma ${index} (pages ${hex(start)} to ${hex(end)})`
    },
  },
  plain('ANON_VMAS', 'ANON_VMA_WORDS', 'NR_ANON_VMAS', 'anon_vma'),
  plain('ANON_VMA_CHAINS', 'ANON_VMA_CHAIN_WORDS', 'NR_ANON_VMA_CHAINS', 'anon_vma_chain'),
  plain('ADDRESS_SPACES', 'ADDRESS_SPACE_WORDS', 'NR_ADDRESS_SPACES', 'address_space'),
  plain('XA_NODES', 'XA_NODE_WORDS', 'NR_XA_NODES', 'xa_node'),
  { base: 'SWAP_AREA', words: 'SWAP_WORDS', count: 'SWAP', struct: 'swap', name: () => 'swap' },
  {
    base: 'SWAP_INFO',
    words: 'SWAP_INFO_WORDS',
    count: 'MAX_SWAPFILES',
    struct: 'swap_info',
    name: (_, index) => `swap device ${index}`,
  },
  {
    base: 'SWAP_CLUSTERS',
    words: 'SWAP_CLUSTER_WORDS',
    count: 'NR_SWAP_CLUSTERS',
    struct: 'swap_cluster',
    name: (_, index) => `swap cluster ${index}`,
  },
  {
    base: 'MEMMAP',
    words: 'PAGE_WORDS',
    count: 'NR_PAGES',
    struct: 'page',
    name: (view, index, object) => `page ${hex(index)}${isTable(view, object) ? ' (table)' : ''}`,
  },
]

/** Fields that are structures themselves: the words of their own fields are named `field.inner`. */
const INNER: Readonly<Record<string, string>> = {
  mmap_lock: 'rwsem',
  vm_lock: 'rwsem',
  rwsem: 'rwsem',
  i_mmap_rwsem: 'rwsem',
}

function plain(base: string, words: string, count: string, struct: string): Region {
  return { base, words, count, struct, name: (_, index) => `${struct} ${index}` }
}

/** The name of the word at `address`. */
export function nameAddress(view: MachineView, address: number): string {
  const { symbols } = view
  if (address === 0) return 'NULL'
  for (const region of REGIONS) {
    if (symbols[region.base] === undefined || symbols[region.words] === undefined) continue
    const words = symbols[region.words]
    const index = Math.floor((address - symbols[region.base]) / words)
    const count = region.count === '' ? 1 : (symbols[region.count] ?? 1)
    if (index < 0 || index >= count) continue
    const object = symbols[region.base] + index * words
    return `${region.name(view, index, object)} ${fieldName(view, region.struct, object, address - object)}`
  }
  return nameOther(view, address)
}

/** Like nameAddress, without which object it is: "mm mmap_lock", "page (table) ptl". For counting by kind. */
export function nameKind(view: MachineView, address: number): string {
  return nameAddress(view, address)
    .replaceAll(/ \(pages .*?\)| \+ \d+/g, '')
    .replaceAll(/ (0x[0-9a-f]+|\d+)(?= |$)/g, '')
}

/** A number in hexadecimal, as the kernel prints page frame numbers. */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}

function nameOther(view: MachineView, address: number): string {
  const { symbols } = view
  const within = (first: string, after: string): number => {
    if (symbols[first] === undefined || symbols[after] === undefined) return -1
    return address >= symbols[first] && address < symbols[after] ? address - symbols[first] : -1
  }
  if (address < (symbols['PERCPU'] ?? 0)) {
    // The scenario's own words, each on a line of its own.
    const word = address - (symbols['machine$scenario'] ?? Infinity)
    if (word >= 0 && word < 256)
      return `scenario word ${word >> 4}${word % 16 === 0 ? '' : ` + ${word % 16}`}`
    const name = Object.keys(symbols).find((key) => key.startsWith('machine$') && symbols[key] === address)
    if (name !== undefined) return `machine ${name.slice('machine$'.length)}`
    if (within('PARKED', 'PERCPU') >= 0) return `machine PARKED ${within('PARKED', 'PERCPU')}`
  }
  const ptlock = within('PTLOCK_AREA', 'KMEM_CACHES')
  if (ptlock >= 0) {
    const rest = (ptlock & 15) < (symbols['LOCK_WORDS'] ?? 1) ? '' : ` + ${ptlock & 15}`
    return `hashed ptlock ${ptlock >> 4}${rest}`
  }
  const swap = nameSwap(symbols, within)
  if (swap !== undefined) return swap
  const entry = within('PGTABLES', symbols['SWAP_AREA'] === undefined ? 'CONTENT' : 'SWAP_AREA')
  if (entry >= 0) {
    const frame = Math.floor(entry / symbols['PTRS_PER_TABLE'])
    return `entry ${entry % symbols['PTRS_PER_TABLE']} of table page ${hex(frame)}`
  }
  const content = within('CONTENT', 'BOOT_DATA')
  if (content >= 0) {
    const words = symbols['PAGE_BYTES'] >> 2
    return `word ${content % words} of the contents of page ${hex(Math.floor(content / words))}`
  }
  return `word ${hex(address)}`
}

/** A word that belongs to a swap slot: `swap_map 0:5`. */
function nameSwap(
  symbols: SymbolTable,
  within: (first: string, after: string) => number,
): string | undefined {
  const slots = symbols['SWAPFILE_SLOTS'] ?? 1
  const slotName = (slot: number): string => `${Math.floor(slot / slots)}:${slot % slots}`
  const map = within('SWAP_MAP', 'SWAP_CACHE')
  if (map >= 0) return `swap_map ${slotName(map)}`
  const cache = within('SWAP_CACHE', 'SWAP_FREE')
  if (cache >= 0) return `swap_cache ${slotName(cache)}`
  const free = within('SWAP_FREE', 'SWAP_CONT')
  if (free >= 0) return `next free slot of ${slotName(free)}`
  const words = (symbols['PAGE_BYTES'] ?? 64) >> 2
  const cont = within('SWAP_CONT', 'SWAP_CONTENT')
  if (cont >= 0) return `continuation of swap_map ${slotName(cont * words)}`
  const content = within('SWAP_CONTENT', 'CONTENT')
  if (content >= 0)
    return `word ${content % words} of the contents of swp ${slotName(Math.floor(content / words))}`
  return undefined
}

/** Number of the page whose struct page lies at `page`. */
export function pageFrame(symbols: SymbolTable, page: number): number {
  return Math.floor((page - symbol(symbols, 'MEMMAP')) / symbol(symbols, 'PAGE_WORDS'))
}

function isTable(view: MachineView, page: number): boolean {
  const flags = view.memory[page + symbol(view.symbols, 'page$flags')]
  return (flags & (view.symbols['PG_table'] ?? 0)) !== 0
}

function fieldName(view: MachineView, struct: string, object: number, offset: number): string {
  if (struct === 'percpu') return perCpuField(view.symbols, offset)
  const overlays = struct === 'page' ? pageFields(view, object) : undefined
  const [field, at] = greatestField(view.symbols, struct, offset, overlays)
  const rest = offset - at
  if (rest === 0 || field === '') return field === '' ? `+ ${offset}` : field
  const inner = INNER[field]
  if (inner === undefined) return withRest(view.symbols, field, rest)
  const [innerField, innerAt] = greatestField(view.symbols, inner, rest)
  return withRest(view.symbols, `${field}.${innerField}`, rest - innerAt)
}

/** A field and the words after its first; a lock's words are all the lock. */
function withRest(symbols: SymbolTable, field: string, rest: number): string {
  if (rest === 0 || (/(lock|ptl)$/.test(field) && rest < (symbols['LOCK_WORDS'] ?? 1))) return field
  return `${field} + ${rest}`
}

/** Fields of struct page that share words: a table has others than a page of a user. */
function pageFields(view: MachineView, page: number): (field: string) => boolean {
  const table = isTable(view, page)
  const ofTables = (field: string): boolean => field === 'ptl' || field.startsWith('pt_')
  const replaced = ['index', 'private', 'compound_head', 'compound_order']
  return (field) => (table ? !replaced.includes(field) : !ofTables(field))
}

function perCpuField(symbols: SymbolTable, offset: number): string {
  const nodes = symbols['percpu$qnodes']
  const size = symbols['QNODE_WORDS']
  if (nodes !== undefined && offset >= nodes && offset < nodes + symbols['QNODES'] * size)
    return `queue node ${Math.floor((offset - nodes) / size)}`
  if (offset >= symbols['percpu$tlb']) return 'TLB'
  const structs = ['percpu', 'vmf', 'pcp', 'tlb', 'tlb_ubc', 'pvmw', 'scan']
  const fields = structs.map((struct) => [struct, ...greatestField(symbols, struct, offset)] as const)
  const best = fields.reduce((left, right) => (right[2] > left[2] ? right : left))
  const name = best[0] === 'percpu' ? best[1] : `${best[0]}->${best[1]}`
  return best[2] === offset ? name : `${name} + ${offset - best[2]}`
}

/** The field of `struct` that begins last at or before `offset`, and where it begins. */
function greatestField(
  symbols: SymbolTable,
  struct: string,
  offset: number,
  allowed: (field: string) => boolean = () => true,
): [string, number] {
  let best: [string, number] = ['', -1]
  for (const [name, at] of fieldsOf(symbols, struct))
    if (at <= offset && at > best[1] && allowed(name)) best = [name, at]
  return best
}

const known = new WeakMap<SymbolTable, Map<string, [string, number][]>>()

function fieldsOf(symbols: SymbolTable, struct: string): [string, number][] {
  let structs = known.get(symbols)
  if (structs === undefined) {
    structs = new Map()
    for (const [name, value] of Object.entries(symbols)) {
      const dollar = name.indexOf('$')
      if (dollar < 0) continue
      const fields = structs.get(name.slice(0, dollar)) ?? []
      fields.push([name.slice(dollar + 1), value])
      structs.set(name.slice(0, dollar), fields)
    }
    known.set(symbols, structs)
  }
  return structs.get(struct) ?? []
}

function cacheName(symbols: SymbolTable, cache: number): string {
  const name = Object.keys(symbols).find((key) => key.endsWith('_cachep') && symbols[key] === cache)
  return name === undefined ? hex(cache) : name.slice(0, -'_cachep'.length)
}
