/**
 * Changes of a VMA's range, and what follows for its neighbours (__vma_adjust of mm/mmap.c, 6.1).
 * Left out: uprobes, huge pages.
 */
import { load, store } from '../../arch/access.ts'
import { BUG_ON } from '../../arch/bug.ts'
import type { AddressSpace, AnonVma, Mm, Vma } from '../../arch/structs.ts'
import {
  vma$anon_vma,
  vma$vm_end,
  vma$vm_mapping,
  vma$vm_mm,
  vma$vm_pgoff,
  vma$vm_start,
} from '../../arch/structs.ts'
import { anon_vma_lock_write, anon_vma_unlock_write } from '../rmap/anon_vma.ts'
import {
  anon_vma_interval_tree_post_update_vma,
  anon_vma_interval_tree_pre_update_vma,
} from '../rmap/anon_vma_chain.ts'
import { anon_vma_clone, anon_vma_merge } from '../rmap/anon_vma_fork.ts'
import { vma_mark_detached, vma_start_write } from '../vma_lock.ts'
import {
  __remove_shared_vm_struct,
  __vma_link_file,
  i_mmap_lock_write,
  i_mmap_unlock_write,
} from './i_mmap.ts'
import { find_vma, mas_write_begin, mas_write_end, vma_mas_remove, vma_mas_store } from './mm_mt.ts'
import { remove_vma } from './vma_link.ts'

/**
 * Gives `vma` the range [start, end) at `pgoff`. Whatever follows it gives way: a VMA that is covered wholly is
 * removed (two in case 6), one that is covered in part starts later (case 5), and where `vma` shrinks without `insert`
 * the next takes over (case 4). `insert`, if not 0, is a VMA split off, put into the map in the same step.
 * `expand` is the one that grows: the next one in case 8, where `vma` goes. Cases: see vma_merge.
 * Returns 0 or -ENOMEM, and then nothing has changed (__vma_adjust).
 */
export function __vma_adjust(
  vma: Vma,
  start: number,
  end: number,
  pgoff: number,
  insert: Vma,
  expand: Vma,
): number {
  const mm = load(vma + vma$vm_mm) as Mm
  const mapping = load(vma + vma$vm_mapping) as AddressSpace
  let next = find_vma(mm, load(vma + vma$vm_end))
  let next_next = 0 as Vma
  let adjust_next = 0
  let removes = 0
  vma_start_write(vma)
  if (insert !== 0) vma_start_write(insert)
  if (next !== 0 && insert === 0) {
    let exporter = 0 as Vma
    let importer = 0 as Vma
    const next_end = load(next + vma$vm_end)
    if (end >= next_end) {
      removes = 1
      if (next === expand) {
        next = vma
        vma = expand
        vma_start_write(vma)
      } else if (end > next_end) {
        removes = 2
        next_next = find_vma(mm, next_end)
        BUG_ON(end !== load(next_next + vma$vm_end))
      }
      exporter = removes === 2 && load(next + vma$anon_vma) === 0 ? next_next : next
      importer = vma
    } else if (end > load(next + vma$vm_start)) {
      adjust_next = end - load(next + vma$vm_start)
      exporter = next
      importer = vma
    } else if (end < load(vma + vma$vm_end)) {
      adjust_next = end - load(vma + vma$vm_end)
      exporter = vma
      importer = next
    }
    if (removes !== 0 || adjust_next !== 0) vma_start_write(next)
    if (removes === 2) vma_start_write(next_next)
    // The one that grows gets pages of the other: they must be found through it.
    if (exporter !== 0 && load(exporter + vma$anon_vma) !== 0 && load(importer + vma$anon_vma) === 0) {
      store(importer + vma$anon_vma, load(exporter + vma$anon_vma))
      const error = anon_vma_clone(importer, exporter)
      if (error !== 0) return error
    }
  }

  if (mapping !== 0) i_mmap_lock_write(mapping)
  let anon_vma = load(vma + vma$anon_vma) as AnonVma
  if (anon_vma === 0 && adjust_next !== 0) anon_vma = load(next + vma$anon_vma) as AnonVma
  if (anon_vma !== 0) {
    anon_vma_lock_write(anon_vma)
    anon_vma_interval_tree_pre_update_vma(vma)
    if (adjust_next !== 0) anon_vma_interval_tree_pre_update_vma(next)
  }
  // Out of the array while the addresses are still those it is sorted by.
  if (removes !== 0) vma_mas_remove(next, mm)
  if (removes === 2) vma_mas_remove(next_next, mm)
  mas_write_begin(mm)
  store(vma + vma$vm_start, start)
  store(vma + vma$vm_end, end)
  store(vma + vma$vm_pgoff, pgoff)
  if (adjust_next !== 0) {
    store(next + vma$vm_start, load(next + vma$vm_start) + adjust_next)
    store(next + vma$vm_pgoff, load(next + vma$vm_pgoff) + adjust_next)
  }
  mas_write_end(mm)
  if (mapping !== 0) {
    if (removes !== 0) __remove_shared_vm_struct(next, mapping)
    if (removes === 2) __remove_shared_vm_struct(next_next, mapping)
    if (insert !== 0) __vma_link_file(insert, mapping)
  }
  if (insert !== 0) vma_mas_store(insert, mm)
  if (anon_vma !== 0) {
    anon_vma_interval_tree_post_update_vma(vma)
    if (adjust_next !== 0) anon_vma_interval_tree_post_update_vma(next)
    anon_vma_unlock_write(anon_vma)
  }
  if (mapping !== 0) i_mmap_unlock_write(mapping)

  if (removes !== 0) vma_adjust_drop(vma, next)
  if (removes === 2) vma_adjust_drop(vma, next_next)
  return 0
}

/** Frees a VMA that has been merged into `vma`. */
function vma_adjust_drop(vma: Vma, gone: Vma): void {
  vma_mark_detached(gone)
  if (load(gone + vma$anon_vma) !== 0) anon_vma_merge(vma, gone)
  remove_vma(gone, false)
}
