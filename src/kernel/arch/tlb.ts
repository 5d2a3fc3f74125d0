/**
 * A TLB for each CPU, and shootdown (arch/x86/mm/tlb.c, 6.1). Every user access goes through it. No CPU writes another
 * CPU's TLB: flush_tlb_mm_range interrupts every CPU of mm_cpumask and waits until each has acknowledged.
 *
 * An entry is (page number + 1, PTE as the walk left it): it caches the right to write and the dirty state. A CPU whose
 * task has no mm keeps the one it has loaded (lazy TLB mode, sched/active_mm.ts), and takes its flushes. Left out:
 * ASIDs (switching mm empties the TLB), global pages, deferred flushes by generation, sparing lazy CPUs the interrupts.
 */
import { atomic_fetch_add, atomic_fetch_and, atomic_fetch_or, atomic_load, atomic_store } from '#atomic'
import { per_cpu_ptr, READ_ONCE, this_cpu_ptr, this_cpu_read, this_cpu_write } from './access.ts'
import { BUG_ON } from './bug.ts'
import { irqs_disabled, local_irq_restore, local_irq_save, send_IPI } from './irq.ts'
import { TLB_ENTRIES, TLB_FLUSH_CEILING } from './limits.ts'
import { this_cpu } from './machine.ts'
import {
  percpu$flush_acks,
  percpu$flush_end,
  percpu$flush_mm,
  percpu$flush_start,
  percpu$in_irq,
  percpu$loaded_mm,
  percpu$tlb,
  percpu$walked_pte,
  tlb_ubc$cpumask,
} from './percpu.ts'
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  _PAGE_PRESENT,
  _PAGE_RW,
  hardware_set_bits,
  p4d_offset_lockless,
  pgd_offset,
  pmd_bad,
  pmd_offset_lockless,
  pte_offset,
  pud_offset_lockless,
  ptep_get,
  TASK_SIZE,
} from './pgtable.ts'
import type { Mm, Pmd, Pte } from './structs.ts'
import { CPUMASK_WORDS, mm$cpu_bitmap } from './structs.ts'
import { smp_cond_load, smp_wake } from './wait.ts'
import {
  count_vm_event,
  NR_TLB_LOCAL_FLUSH_ALL,
  NR_TLB_REMOTE_FLUSH,
  NR_TLB_REMOTE_FLUSH_RECEIVED,
} from '../mm/vmstat.ts'

/** Offset of the entry that page `addr` maps to, in this CPU's area. */
function tlb_entry(addr: number): number {
  return percpu$tlb + ((addr & (TLB_ENTRIES - 1)) << 1)
}

/** The cached translation of page `addr`, or 0. */
export function tlb_lookup(addr: number): Pte {
  const entry = tlb_entry(addr)
  if (this_cpu_read(entry) !== ((addr + 1) | 0)) return 0 as Pte
  return this_cpu_read(entry + 1) as Pte
}

/** Drops this CPU's translation of one page (invlpg). */
export function flush_tlb_one(addr: number): void {
  const entry = tlb_entry(addr)
  if (this_cpu_read(entry) === ((addr + 1) | 0)) this_cpu_write(entry, 0)
}

/** Empties this CPU's TLB. */
export function flush_tlb_local(): void {
  count_vm_event(NR_TLB_LOCAL_FLUSH_ALL)
  for (let i = 0; i < TLB_ENTRIES; i++) this_cpu_write(percpu$tlb + 2 * i, 0)
}

/** Applies a flush of [start, end) of `mm` (0: of all there is) to this CPU's TLB. */
function flush_tlb_range_local(mm: Mm, start: number, end: number): void {
  if (mm !== 0 && this_cpu_read(percpu$loaded_mm) !== mm) return
  if (end - start > TLB_FLUSH_CEILING) flush_tlb_local()
  else for (let addr = start; addr < end; addr++) flush_tlb_one(addr)
}

/** The interrupt's work: applies the request of CPU `sender`, then acknowledges it. */
export function flush_tlb_func(sender: number): void {
  count_vm_event(NR_TLB_REMOTE_FLUSH_RECEIVED)
  flush_tlb_range_local(
    READ_ONCE(per_cpu_ptr(percpu$flush_mm, sender)) as Mm,
    READ_ONCE(per_cpu_ptr(percpu$flush_start, sender)),
    READ_ONCE(per_cpu_ptr(percpu$flush_end, sender)),
  )
  const acks = per_cpu_ptr(percpu$flush_acks, sender)
  if (atomic_fetch_add(acks, -1) === 1) smp_wake(acks)
}

/** Interrupts the other CPUs of `mask` (a word of mm_cpumask, of CPUs from `base` on); returns how many will answer. */
function interrupt_others(mask: number, base: number): number {
  let sent = 0
  for (; mask !== 0; mask &= mask - 1) {
    const cpu = base + 31 - Math.clz32(mask & -mask)
    if (cpu !== this_cpu && send_IPI(cpu)) sent++
  }
  return sent
}

/** The CPUs of `mask`, which is word `word` of a set, without this one. */
function other_cpus(mask: number, word: number): number {
  return this_cpu >> 5 === word ? mask & ~(1 << (this_cpu & 31)) : mask
}

/** Flushes pages [start, end) of `mm` from the TLB of every CPU that may hold them, and waits until that is done. */
export function flush_tlb_mm_range(mm: Mm, start: number, end: number): void {
  BUG_ON(irqs_disabled())
  BUG_ON(this_cpu_read(percpu$in_irq) !== 0)
  const flags = local_irq_save()
  flush_tlb_range_local(mm, start, end)
  local_irq_restore(flags)
  // mm_cpumask is read after the page tables were changed: the caller's atomic write of the PTE orders the two.
  const mask = atomic_load(mm + mm$cpu_bitmap)
  const high = CPUMASK_WORDS > 1 ? atomic_load(mm + mm$cpu_bitmap + 1) : 0
  if (any_other_cpu(mask, high, mm + mm$cpu_bitmap))
    flush_tlb_others(mask, high, mm + mm$cpu_bitmap, mm, start, end)
}

/** Whether the set of CPUs at `cpumask`, whose first words are `mask` and `high`, has another one than this. */
function any_other_cpu(mask: number, high: number, cpumask: number): boolean {
  let others = other_cpus(mask, 0) | other_cpus(high, 1)
  for (let word = 2; word < CPUMASK_WORDS; word++) others |= other_cpus(atomic_load(cpumask + word), word)
  return others !== 0
}

/** Has the other CPUs of such a set flush [start, end) of `mm` (0: all), and waits until they have. */
function flush_tlb_others(
  mask: number,
  high: number,
  cpumask: number,
  mm: Mm,
  start: number,
  end: number,
): void {
  count_vm_event(NR_TLB_REMOTE_FLUSH)
  this_cpu_write(percpu$flush_mm, mm)
  this_cpu_write(percpu$flush_start, start)
  this_cpu_write(percpu$flush_end, end)
  const acks = this_cpu_ptr(percpu$flush_acks)
  // One more than can answer, taken back below: no answer brings it to zero while requests are still being sent.
  atomic_store(acks, 1 << 16)
  let sent = interrupt_others(mask, 0) + interrupt_others(high, 32)
  for (let word = 2; word < CPUMASK_WORDS; word++)
    sent += interrupt_others(atomic_load(cpumask + word), 32 * word)
  let left = atomic_fetch_add(acks, sent - (1 << 16)) + sent - (1 << 16)
  while (left !== 0) left = smp_cond_load(acks, left)
}

export function flush_tlb_page(mm: Mm, addr: number): void {
  flush_tlb_mm_range(mm, addr, addr + 1)
}

export function flush_tlb_mm(mm: Mm): void {
  flush_tlb_mm_range(mm, 0, TASK_SIZE)
}

/** Whether another CPU may hold translations of `mm` (cpumask_any_but). */
export function mm_has_other_cpus(mm: Mm): boolean {
  const mask = atomic_load(mm + mm$cpu_bitmap)
  const high = CPUMASK_WORDS > 1 ? atomic_load(mm + mm$cpu_bitmap + 1) : 0
  return any_other_cpu(mask, high, mm + mm$cpu_bitmap)
}

/**
 * Adds the CPUs that may hold translations of `mm` to those that this CPU must have flush before it frees what it
 * unmapped.
 */
export function arch_tlbbatch_add_mm(mm: Mm): void {
  for (let word = 0; word < CPUMASK_WORDS; word++)
    this_cpu_write(
      tlb_ubc$cpumask + word,
      this_cpu_read(tlb_ubc$cpumask + word) | atomic_load(mm + mm$cpu_bitmap + word),
    )
}

/** Has all those CPUs empty their TLBs. */
export function arch_tlbbatch_flush(): void {
  BUG_ON(irqs_disabled())
  const mask = this_cpu_read(tlb_ubc$cpumask)
  const high = CPUMASK_WORDS > 1 ? this_cpu_read(tlb_ubc$cpumask + 1) : 0
  const flags = local_irq_save()
  flush_tlb_local()
  local_irq_restore(flags)
  const cpumask = this_cpu_ptr(tlb_ubc$cpumask)
  if (any_other_cpu(mask, high, cpumask)) flush_tlb_others(mask, high, cpumask, 0 as Mm, 0, TASK_SIZE)
  for (let word = 0; word < CPUMASK_WORDS; word++) this_cpu_write(tlb_ubc$cpumask + word, 0)
}

/** Makes `next` (0: none) the address space of this CPU: the TLB starts empty. */
export function switch_mm(next: Mm): void {
  const flags = local_irq_save()
  switch_mm_irqs_off(next)
  local_irq_restore(flags)
}

function switch_mm_irqs_off(next: Mm): void {
  const prev = this_cpu_read(percpu$loaded_mm) as Mm
  if (prev === next) return
  const bit = 1 << (this_cpu & 31)
  const word = this_cpu >> 5
  if (prev !== 0) {
    flush_tlb_local()
    this_cpu_write(percpu$loaded_mm, 0)
    atomic_fetch_and(prev + mm$cpu_bitmap + word, ~bit)
  }
  if (next === 0) return
  // In the mask before the first walk: whoever changes a PTE after this sees the CPU.
  atomic_fetch_or(next + mm$cpu_bitmap + word, bit)
  this_cpu_write(percpu$loaded_mm, next)
}

/**
 * The hardware walk: translates page `addr` for a read or a write, sets accessed and dirty, fills the TLB. Returns the
 * PTE, or 0 if the access must fault; then percpu$walked_pte is the entry that denied it, 0 if there is none.
 */
export function tlb_walk(mm: Mm, addr: number, write: boolean): Pte {
  this_cpu_write(percpu$walked_pte, 0)
  const p4d = p4d_offset_lockless(pgd_offset(mm, addr), addr)
  if (p4d === 0) return 0 as Pte
  const pud = pud_offset_lockless(p4d, addr)
  if (pud === 0) return 0 as Pte
  const pmdp = pmd_offset_lockless(pud, addr)
  if (pmdp === 0) return 0 as Pte
  const pmd = READ_ONCE(pmdp) as Pmd
  if (pmd_bad(pmd)) return 0 as Pte
  const ptep = pte_offset(pmd, addr)
  for (;;) {
    const pte = ptep_get(ptep)
    if ((pte & _PAGE_PRESENT) === 0 || (write && (pte & _PAGE_RW) === 0)) {
      this_cpu_write(percpu$walked_pte, pte)
      return 0 as Pte
    }
    const bits = write ? _PAGE_ACCESSED | _PAGE_DIRTY : _PAGE_ACCESSED
    if ((pte & bits) !== bits && !hardware_set_bits(ptep, pte, bits)) continue
    const entry = tlb_entry(addr)
    this_cpu_write(entry, addr + 1)
    this_cpu_write(entry + 1, pte | bits)
    return (pte | bits) as Pte
  }
}
