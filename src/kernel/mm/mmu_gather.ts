/**
 * struct mmu_gather (mm/mmu_gather.c, include/asm-generic/tlb.h, 6.1): what unmapping frees is kept until the TLBs that
 * may still reach it are flushed. One gather a CPU, in its per-CPU area. Pages and tables share one bundle; a table is
 * marked by bit 0. Left out: batches chained beyond the bundle (a full bundle is flushed), delayed rmap.
 */
import { SWAP } from '#config'
import { atomic_fetch_add } from '#atomic'
import { READ_ONCE, this_cpu_read, this_cpu_write } from '../arch/access.ts'
import { BUG_ON } from '../arch/bug.ts'
import { MAX_GATHER_BATCH } from '../arch/limits.ts'
import {
  tlb$end,
  tlb$freed_tables,
  tlb$fullmm,
  tlb$mm,
  tlb$nr,
  tlb$pages,
  tlb$start,
} from '../arch/percpu.ts'
import { TASK_SIZE } from '../arch/pgtable.ts'
import type { Mm, Page } from '../arch/structs.ts'
import { mm$tlb_flush_pending } from '../arch/structs.ts'
import { flush_tlb_mm_range } from '../arch/tlb.ts'
import { put_page } from './mm.ts'
import { pgtable_free } from './pgalloc.ts'
import { lru_add_drain, release_pages } from './swap.ts'
import { free_swap_cache } from './swap_state.ts'

const TABLE = 1

/** Somebody has changed PTEs and not flushed yet (inc_tlb_flush_pending). */
export function inc_tlb_flush_pending(mm: Mm): void {
  atomic_fetch_add(mm + mm$tlb_flush_pending, 1)
}

export function dec_tlb_flush_pending(mm: Mm): void {
  BUG_ON(atomic_fetch_add(mm + mm$tlb_flush_pending, -1) <= 0)
}

/** Whether another CPU defers flushes of `mm` too (mm_tlb_flush_nested). */
function mm_tlb_flush_nested(mm: Mm): boolean {
  return READ_ONCE(mm + mm$tlb_flush_pending) > 1
}

function __tlb_reset_range(): void {
  const fullmm = this_cpu_read(tlb$fullmm) !== 0
  this_cpu_write(tlb$start, fullmm ? 0 : TASK_SIZE)
  this_cpu_write(tlb$end, fullmm ? TASK_SIZE : 0)
  this_cpu_write(tlb$freed_tables, 0)
}

function __tlb_gather_mmu(mm: Mm, fullmm: number): void {
  BUG_ON(this_cpu_read(tlb$mm) !== 0)
  this_cpu_write(tlb$mm, mm)
  this_cpu_write(tlb$fullmm, fullmm)
  this_cpu_write(tlb$nr, 0)
  __tlb_reset_range()
  inc_tlb_flush_pending(mm)
}

/** Begins to gather what is unmapped of `mm`. */
export function tlb_gather_mmu(mm: Mm): void {
  __tlb_gather_mmu(mm, 0)
}

/** The same for an mm that nobody uses any more. */
export function tlb_gather_mmu_fullmm(mm: Mm): void {
  __tlb_gather_mmu(mm, 1)
}

/** Notes that the translation of page `addr` is gone (tlb_remove_tlb_entry). */
export function tlb_remove_tlb_entry(addr: number): void {
  if (addr < this_cpu_read(tlb$start)) this_cpu_write(tlb$start, addr)
  if (addr + 1 > this_cpu_read(tlb$end)) this_cpu_write(tlb$end, addr + 1)
}

/** Flushes the gathered range, frees nothing (tlb_flush_mmu_tlbonly). */
export function tlb_flush_mmu_tlbonly(): void {
  const start = this_cpu_read(tlb$start)
  const end = this_cpu_read(tlb$end)
  if (start >= end) return
  flush_tlb_mm_range(this_cpu_read(tlb$mm) as Mm, start, end)
  __tlb_reset_range()
}

/**
 * Lets go of the first `nr` gathered pages, and of slots that were needed for them. The batches of this CPU may have a
 * reference to them.
 */
function free_pages_and_swap_cache(nr: number): void {
  if (nr === 0) return
  lru_add_drain()
  for (let i = 0; i < nr; i++) free_swap_cache(this_cpu_read(tlb$pages + i) as Page)
  release_pages(tlb$pages, nr)
}

function tlb_batch_pages_flush(): void {
  const nr = this_cpu_read(tlb$nr)
  // Pages move to the front, tables go at once.
  let pages = 0
  for (let i = 0; i < nr; i++) {
    const entry = this_cpu_read(tlb$pages + i)
    if ((entry & TABLE) !== 0) pgtable_free((entry - TABLE) as Page)
    else if (SWAP) this_cpu_write(tlb$pages + pages++, entry)
    else put_page(entry as Page)
  }
  if (SWAP) free_pages_and_swap_cache(pages)
  this_cpu_write(tlb$nr, 0)
}

/** Flushes, then frees what was gathered. */
export function tlb_flush_mmu(): void {
  tlb_flush_mmu_tlbonly()
  tlb_batch_pages_flush()
}

function tlb_gather_entry(entry: number): boolean {
  const nr = this_cpu_read(tlb$nr)
  this_cpu_write(tlb$pages + nr, entry)
  this_cpu_write(tlb$nr, nr + 1)
  return nr + 1 === MAX_GATHER_BATCH
}

/** Gathers a page whose mapping reference goes; whether the bundle is full now (__tlb_remove_page). */
export function __tlb_remove_page(page: Page): boolean {
  return tlb_gather_entry(page)
}

/** Gathers a page table that was taken out of the tree and spans pages [addr, end) (pte_free_tlb and the others). */
export function tlb_remove_table(table: Page, addr: number, end: number): void {
  this_cpu_write(tlb$freed_tables, 1)
  tlb_remove_tlb_entry(addr)
  tlb_remove_tlb_entry(end - 1)
  if (tlb_gather_entry(table + TABLE)) tlb_flush_mmu()
}

/**
 * Ends the gathering: flushes and frees. Another CPU's deferred flush may hide entries we found none: then all is
 * flushed.
 */
export function tlb_finish_mmu(): void {
  const mm = this_cpu_read(tlb$mm) as Mm
  if (mm_tlb_flush_nested(mm)) {
    this_cpu_write(tlb$fullmm, 1)
    __tlb_reset_range()
  }
  tlb_flush_mmu()
  this_cpu_write(tlb$mm, 0)
  dec_tlb_flush_pending(mm)
}
