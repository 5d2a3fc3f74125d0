// A struct page in words: dump_page (mm/debug.c, 6.1) and the names of page flags.
import { hex, pageFrame } from './names.ts'
import { type MachineView, type SymbolTable, symbol } from './symbols.ts'

/** Names of the flags that are set, as dump_page prints them: `locked|dirty`; '' for none. */
export function pageFlagsText(symbols: SymbolTable, flags: number): string {
  return Object.keys(symbols)
    .filter((name) => name.startsWith('PG_') && (flags & symbols[name]) !== 0)
    .map((name) => name.slice('PG_'.length))
    .join('|')
}

/** struct page at `page`, in the words of dump_page (mm/debug.c). */
export function dumpPage({ memory, symbols }: MachineView, page: number): string[] {
  const field = (name: string): number => memory[page + symbol(symbols, `page$${name}`)]
  const flags = field('flags')
  const words = Array.from({ length: symbols['PAGE_WORDS'] ?? 16 }, (_, word) =>
    (memory[page + word] >>> 0).toString(16).padStart(8, '0'),
  )
  return [
    `page:${hex(page)} refcount:${field('_refcount')} mapcount:${field('_mapcount') + 1} ` +
      `mapping:${hex(field('mapping'))} index:${hex(field('index'))} pfn:${hex(pageFrame(symbols, page))}`,
    `flags: ${hex(flags)}(${pageFlagsText(symbols, flags)})`,
    `raw: ${words.slice(0, 8).join(' ')}`,
    `raw: ${words.slice(8).join(' ')}`,
  ]
}
