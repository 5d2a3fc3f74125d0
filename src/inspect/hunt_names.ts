// What a step touches and what the word held, in the kernel's words: "pte[mm 1, 0x7000]" and "pfn 0x1a3 rw". Answers for the moment
// at which it is asked, since tables and objects come and go. Leaves out what other words are called: measure/names.ts.
import { hex, nameAddress } from './names.ts'
import { swapEntryName } from './swap_names.ts'
import type { MachineView } from './symbols.ts'

/** Names of entries of page tables, from the last level up. */
const LEVELS = ['pte', 'pmd', 'pud', 'p4d', 'pgd'] as const
const SHIFTS = ['', 'PMD_SHIFT', 'PUD_SHIFT', 'P4D_SHIFT', 'PGDIR_SHIFT'] as const

/** Fields that hold an address. */
const POINTERS =
  /(^|[ .>])(mapping|private|lru_(next|prev)|pt_mm|pgd|owner|parent|root|anon_vma|anon_vma_chain|vma|vm_mm|vm_mapping|mm|mm_mt|current|head|tail|next|prev|freelist|run_next|waiting|i_pages|i_mmap|rb_root|wait_head|wait_tail|\w+_(next|prev))( \+ \d+)?$/
const COUNTS = /(count|users|nr_\w+|num_\w+|id|pid|generation|_stat|in_use)( \+ \d+)?$/

/** The name of the word at `address`, entries of page tables by mm and page number. */
export function nameWord(view: MachineView, address: number): string {
  const entry = entryAt(view, address)
  if (entry !== undefined) return entry.name
  return view.symbols['MEMMAP'] === undefined ? `word ${hex(address)}` : nameAddress(view, address)
}

/** Whether the word is part of a lock, or of what only the scheduler of tasks and idle CPUs look at. */
export function isHousekeeping(name: string): boolean {
  return /(^run queue|_lock\b|\block\b|\bptl\b|ptlock|rwsem|wait_lock|\.count$|\.owner$|on_cpu$|rcu|machine |TLB$|queue node|irq_pending|flush_acks|^CPU \d+ state$|^task \d+ (run_next|__state|wait_word)$)/.test(
    name,
  )
}

/** What `value` in the word called `name` at `address` means. */
export function nameValue(view: MachineView, address: number, name: string, value: number): string {
  const level = LEVELS.indexOf(name.slice(0, name.indexOf('[')) as 'pte')
  if (level === 0) return ptePhrase(view, value)
  if (level > 0) return tablePhrase(view, value)
  const { symbols } = view
  if (/^page .* flags$/.test(name)) return flagsPhrase(symbols, value)
  if (name.startsWith('swap_map ')) return mapPhrase(symbols, value)
  if (/^page .* private$/.test(name) && isSwapEntry(symbols, value))
    return swapEntryName(value, symbols['PFN_SHIFT'])
  if (name.startsWith('swap_cache ')) return pointerPhrase(view, value)
  if (/contents of page|^scenario word/.test(name)) return small(value)
  if (POINTERS.test(name)) return pointerPhrase(view, value)
  if (COUNTS.test(name)) return String(value)
  return small(value)
}

/** A lock word of the abstract spinlock. */
export function lockHolder(value: number): string {
  return value === 0 ? 'free' : `CPU ${value - 1}`
}

interface Entry {
  readonly name: string
  readonly level: number
}

function entryAt(view: MachineView, address: number): Entry | undefined {
  const { symbols, memory } = view
  const { PGTABLES: first, PTRS_PER_TABLE: size } = symbols
  const end = symbols['SWAP_AREA'] ?? symbols['CONTENT']
  if (first === undefined || end === undefined || size === undefined) return undefined
  if (address < first || address >= end) return undefined
  const frame = Math.floor((address - first) / size)
  const table = first + frame * size
  const index = address - table
  const page = symbols['MEMMAP'] + frame * symbols['PAGE_WORDS']
  if ((memory[page + symbols['page$flags']] & symbols['PG_table']) === 0)
    return { name: `entry ${index} of free table page ${hex(frame)}`, level: -1 }
  const mm = memory[page + symbols['page$pt_mm']]
  const place = mm === 0 ? undefined : findTable(view, mm, table)
  if (place === undefined) return { name: `entry ${index} of unlinked table page ${hex(frame)}`, level: -1 }
  const shift = place.level === 0 ? 0 : (symbols[SHIFTS[place.level]] ?? 0)
  const start = place.page + index * 2 ** shift
  const id = memory[mm + symbols['mm$id']]
  return { name: `${LEVELS[place.level]}[mm ${id}, ${hex(start)}]`, level: place.level }
}

/** Level and first page of the table whose entries begin at `wanted`, in the tables of `mm`. */
function findTable(
  { memory, symbols }: MachineView,
  mm: number,
  wanted: number,
): { level: number; page: number } | undefined {
  const size = symbols['PTRS_PER_TABLE']
  const seen = new Set<number>()
  const look = (table: number, level: number, page: number): { level: number; page: number } | undefined => {
    if (table === wanted) return { level, page }
    if (level === 0 || seen.has(table)) return undefined
    seen.add(table)
    for (let index = 0; index < size; index++) {
      const entry = memory[table + index]
      if ((entry & (symbols['_PAGE_PRESENT'] | symbols['_PAGE_PSE'])) !== symbols['_PAGE_PRESENT']) continue
      const frame = entry >>> symbols['PFN_SHIFT']
      if (frame >= symbols['NR_PAGES']) continue
      const next = symbols['PGTABLES'] + frame * size
      const found = look(next, level - 1, page + index * 2 ** (symbols[SHIFTS[level]] ?? 0))
      if (found !== undefined) return found
    }
    return undefined
  }
  return look(memory[mm + symbols['mm$pgd']], symbols['PGTABLE_LEVELS'] - 1, 0)
}

function ptePhrase({ memory, symbols }: MachineView, pte: number): string {
  if (pte === 0) return 'none'
  const has = (flag: string): boolean => (pte & (symbols[flag] ?? 0)) !== 0
  const frame = pte >>> symbols['PFN_SHIFT']
  if (!has('_PAGE_PRESENT') && !has('_PAGE_PROTNONE')) return swapEntryName(pte, symbols['PFN_SHIFT'])
  const zero = memory[symbols['machine$zero_page']] === symbols['MEMMAP'] + frame * symbols['PAGE_WORDS']
  const words = [
    has('_PAGE_PRESENT') ? (has('_PAGE_RW') ? 'rw' : 'ro') : 'protnone',
    ...(has('_PAGE_DIRTY') ? ['dirty'] : []),
    ...(has('_PAGE_ACCESSED') ? ['young'] : []),
  ]
  return `${zero ? 'zero page' : `pfn ${hex(frame)}`} ${words.join(' ')}`
}

function tablePhrase({ symbols }: MachineView, entry: number): string {
  if (entry === 0) return 'none'
  const frame = hex(entry >>> symbols['PFN_SHIFT'])
  return (entry & symbols['_PAGE_PSE']) === 0 ? `table page ${frame}` : `huge pfn ${frame}`
}

function flagsPhrase(symbols: MachineView['symbols'], value: number): string {
  const names = Object.keys(symbols)
    .filter((name) => name.startsWith('PG_') && (value & symbols[name]) !== 0)
    .map((name) => name.slice('PG_'.length))
  return names.length === 0 ? '0' : names.join('|')
}

/** A word of a swap map: `2 cache`. */
function mapPhrase(symbols: MachineView['symbols'], value: number): string {
  const flags = [symbols['SWAP_HAS_CACHE'], symbols['COUNT_CONTINUED']]
  const names = ['cache', 'continued'].filter((_, i) => (value & flags[i]) !== 0)
  return [String(value & ~(flags[0] | flags[1])), ...names].join(' ')
}

/** Whether page->private names a slot: addresses are multiples of more than the type's bits. */
function isSwapEntry(symbols: MachineView['symbols'], value: number): boolean {
  return (
    value !== 0 &&
    value >>> symbols['PFN_SHIFT'] !== 0 &&
    swapEntryName(value, symbols['PFN_SHIFT']).startsWith('swp')
  )
}

function pointerPhrase(view: MachineView, value: number): string {
  const { symbols } = view
  if (value === 0) return 'NULL'
  if (value < 4096 || value >= (symbols['CONTENT'] ?? 0)) return small(value)
  const tag = value & 1
  const object = nameWord(view, value - tag)
  if (object.startsWith('word ')) return hex(value)
  const entry = /^(pte|pmd|pud|p4d|pgd)\[/.test(object)
  return entry ? object : object.replace(/ [\w.>-]+$/, '')
}

function small(value: number): string {
  return value > -4096 && value < 4096 ? String(value) : hex(value)
}
