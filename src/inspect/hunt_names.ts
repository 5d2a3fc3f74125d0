// What a step touches and what the word held, in the kernel's words: "pte[mm 1, 0x7000]" and "pfn 0x1a3 rw". Answers
// for the moment at which it is asked, since tables and objects come and go. Leaves out what other words are called:
// names.ts.
import { entryName, pteText, tableEntryText } from './entries.ts'
import { hex, nameAddress } from './names.ts'
import { pageFlagsText } from './page_dump.ts'
import { PageTables, type Table } from './page_tables.ts'
import { readSwapEntry, swapEntryText, swapMapText } from './swap_entries.ts'
import type { KernelSymbols, MachineView } from './symbols.ts'

/** Fields that hold an address. */
const POINTERS =
  /(^|[ .>])(mapping|private|lru_(next|prev)|pt_mm|pgd|owner|parent|root|anon_vma|anon_vma_chain|vma|vm_mm|vm_mapping|mm|mm_mt|current|head|tail|next|prev|chain|freelist|run_next|waiting|i_pages|i_mmap|rb_root|wait_head|wait_tail|\w+_(next|prev))( \+ \d+)?$/
/** Fields that hold the address of a word that somebody waits for. */
const WAITED = /(^| )(parked_on|wait_word|waiting_on)$/
const COUNTS = /(count|users|nr_\w+|num_\w+|id|pid|generation|_stat|in_use)( \+ \d+)?$/

/** The name of the word at `address`, entries of page tables by mm and page number. */
export function nameWord(view: MachineView, address: number): string {
  const entry = entryAt(view, address)
  if (entry !== undefined) return entry
  return view.symbols['MEMMAP'] === undefined ? `word ${hex(address)}` : nameAddress(view, address)
}

/** Whether the word is part of a lock, or of what only the scheduler of tasks and idle CPUs look at. */
export function isHousekeeping(name: string): boolean {
  return /(^run queue|_lock\b|\block\b|\bptl\b|ptlock|rwsem|wait_lock|\.count$|\.owner$|on_cpu$|rcu|machine |TLB$|queue node|irq_pending|flush_acks|^CPU \d+ state$|cpu_bitmap\b|^task \d+ (run_next|__state|wait_word)$)/.test(
    name,
  )
}

/** What `value` in the word called `name` at `address` means. */
export function nameValue(view: MachineView, address: number, name: string, value: number): string {
  if (name.startsWith('pte[')) return pteText(view, value)
  if (/^(pmd|pud|p4d|pgd)\[/.test(name)) return tableEntryText(view, value)
  const { symbols } = view
  if (/^page .* flags$/.test(name)) return pageFlagsText(symbols, value) || '0'
  if (name.startsWith('swap_map ')) return swapMapText(symbols, value)
  if (/^page .* private$/.test(name) && isSwapEntry(symbols, value)) return swapEntryText(symbols, value)
  if (name.startsWith('swap_cache ')) return pointerPhrase(view, value)
  if (/contents of page|^scenario word/.test(name)) return small(value)
  if (WAITED.test(name)) return value === 0 ? 'NULL' : nameWord(view, value)
  if (POINTERS.test(name)) return pointerPhrase(view, value)
  if (COUNTS.test(name)) return String(value)
  return small(value)
}

/** A lock word of the abstract spinlock. */
export function lockHolder(value: number): string {
  return value === 0 ? 'free' : `CPU ${value - 1}`
}

/** The name of the word at `address` when it is an entry of a page table. */
function entryAt(view: MachineView, address: number): string | undefined {
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
    return `entry ${index} of free table page ${hex(frame)}`
  const mm = memory[page + symbols['page$pt_mm']]
  const tables = PageTables.of(view)
  const place = mm === 0 ? undefined : findTable(tables, mm, table)
  if (place === undefined) return `entry ${index} of unlinked table page ${hex(frame)}`
  const { name, shift } = tables.levels[place.level]
  return entryName(view, name, mm, place.start + index * 2 ** shift)
}

/** The table whose entries begin at `wanted`, in the tables of `mm`. */
function findTable(tables: PageTables, mm: number, wanted: number): Table | undefined {
  const top = tables.top(mm)
  const seen = new Set<number>()
  let found: Table | undefined
  if (top !== undefined)
    tables.walk(top, (table) => {
      if (table.entries === wanted) found = table
      if (found !== undefined || seen.has(table.entries)) return false
      seen.add(table.entries)
      return true
    })
  return found
}

/** Whether page->private names a slot: addresses are multiples of more than the type's bits. */
function isSwapEntry(symbols: MachineView['symbols'], value: number): boolean {
  return (
    value !== 0 &&
    value >>> symbols['PFN_SHIFT'] !== 0 &&
    readSwapEntry(symbols as unknown as KernelSymbols, value).kind === 'swap'
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
