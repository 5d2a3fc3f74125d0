// Entries of page tables in the kernel's words: `pte[mm 1, 0x7000]` and `pfn 0x1a3 rw dirty young`. Leaves out where an
// entry leads: page_tables.ts.
import { hex } from './names.ts'
import { swapEntryText } from './swap_entries.ts'
import type { MachineView } from './symbols.ts'

/** `pte[mm 1, 0x7000]`: the entry for page number `page` in the tables of the mm at a word address. */
export function entryName({ memory, symbols }: MachineView, level: string, mm: number, page: number): string {
  return `${level}[mm ${memory[mm + symbols['mm$id']]}, ${hex(page)}]`
}

/** A PTE: `none`, `pfn 0x1a3 rw dirty young`, `zero page ro`, `swp 0:5`. */
export function pteText({ memory, symbols }: MachineView, pte: number): string {
  if (pte === 0) return 'none'
  const has = (flag: string): boolean => (pte & (symbols[flag] ?? 0)) !== 0
  if (!has('_PAGE_PRESENT') && !has('_PAGE_PROTNONE')) return swapEntryText(symbols, pte)
  const frame = pte >>> symbols['PFN_SHIFT']
  const zero = memory[symbols['machine$zero_page']] === symbols['MEMMAP'] + frame * symbols['PAGE_WORDS']
  const words = [
    zero ? 'zero page' : `pfn ${hex(frame)}`,
    has('_PAGE_PRESENT') ? (has('_PAGE_RW') ? 'rw' : 'ro') : 'protnone',
    ...(has('_PAGE_DIRTY') ? ['dirty'] : []),
    ...(has('_PAGE_ACCESSED') ? ['young'] : []),
    ...(has('_PAGE_SPECIAL') && !zero ? ['special'] : []),
  ]
  return words.join(' ')
}

/** An entry of an upper level: `none`, `table page 0x33`, `huge pfn 0x200`. */
export function tableEntryText({ symbols }: MachineView, entry: number): string {
  if (entry === 0) return 'none'
  const frame = hex(entry >>> symbols['PFN_SHIFT'])
  if ((entry & symbols['_PAGE_PRESENT']) === 0) return hex(entry)
  return (entry & symbols['_PAGE_PSE']) === 0 ? `table page ${frame}` : `huge pfn ${frame}`
}
