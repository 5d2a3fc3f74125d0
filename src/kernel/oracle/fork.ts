/**
 * What fork does to the words of the data oracle: a child starts with what its parent may have had; and the end of an mm.
 */
import { smp_processor_id } from '../arch/access.ts'
import { oracle } from '../arch/machine.ts'
import type { Mm } from '../arch/structs.ts'
import { oracle_mb } from './barrier.ts'
import {
  ORACLE_NR_WINDOWS,
  ORACLE_SIDE_MASK,
  ORACLE_WINDOWS,
  OREG_WORDS,
  OWINDOW_WORDS,
  oreg$base,
  oreg$completed,
  oreg$issued,
  oreg$lo,
  oreg$seen,
  oreg$side,
  oreg$writer,
  oreg$zero,
  owindow$registers,
  owindow$shared,
  owindow$snapshots,
} from './layout.ts'
import { oracle_mm_index, oracle_table, oracle_untracked } from './windows.ts'

/** Fork begins to copy `oldmm`: before the first page table entry is read. */
export function oracle_dup_mm_begin(oldmm: Mm): void {
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS)
    if (oracle[w + owindow$shared] === 0) oracle_snapshot(w, oldmm)
  oracle_mb()
}

/** Notes, for each register, the least number that a copy made from now on can hold; ~number if it may be inherited. */
function oracle_snapshot(w: number, oldmm: Mm): void {
  const table = oracle_table(w, oracle_mm_index(oldmm))
  if (table === 0) return
  const registers = oracle[w + owindow$registers]
  const snapshot = oracle[w + owindow$snapshots] + smp_processor_id() * registers
  for (let i = 0; i < registers; i++) {
    const r = table + i * OREG_WORDS
    const completed = oracle[r + oreg$completed]
    const seen = oracle[r + oreg$seen]
    const own = completed > oracle[r + oreg$base]
    const lower = Math.max(seen, own ? completed : oracle[r + oreg$lo])
    oracle[snapshot + i] = own ? lower : ~lower
  }
}

/** Fork has copied `oldmm` to `mm`: after the flush of oldmm's translations, before anybody runs in `mm`. Same CPU. */
export function oracle_dup_mm_end(oldmm: Mm, mm: Mm): void {
  oracle_mb()
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS)
    if (oracle[w + owindow$shared] === 0) oracle_inherit(w, oldmm, mm)
}

function oracle_inherit(w: number, oldmm: Mm, mm: Mm): void {
  const old_index = oracle_mm_index(oldmm)
  const old_table = oracle_table(w, old_index)
  const table = oracle_table(w, oracle_mm_index(mm))
  if (old_table === 0) oracle[oracle_untracked(w, oracle_mm_index(mm))] = 1
  if (old_table === 0 || table === 0) return
  const registers = oracle[w + owindow$registers]
  const snapshot = oracle[w + owindow$snapshots] + smp_processor_id() * registers
  for (let i = 0; i < registers; i++) {
    const from = old_table + i * OREG_WORDS
    const r = table + i * OREG_WORDS
    const lower = oracle[snapshot + i]
    const issued = oracle[from + oreg$issued]
    // Both sides' numbers go on from here; the values carry who wrote them.
    oracle[r + oreg$issued] = issued
    oracle[r + oreg$completed] = issued
    oracle[r + oreg$base] = issued
    oracle[r + oreg$lo] = lower < 0 ? ~lower : lower
    oracle[r + oreg$zero] = oracle[from + oreg$zero]
    oracle[r + oreg$writer] = 0
    oracle[r + oreg$side] =
      lower >= 0
        ? (old_index & ORACLE_SIDE_MASK) + 1
        : issued === oracle[from + oreg$base]
          ? oracle[from + oreg$side]
          : 0
    oracle[r + oreg$seen] = 0
  }
}

/** `mm` is gone: what takes its place begins empty. */
export function oracle_mmdrop(mm: Mm): void {
  const end = ORACLE_WINDOWS + oracle[ORACLE_NR_WINDOWS] * OWINDOW_WORDS
  const index = oracle_mm_index(mm)
  for (let w = ORACLE_WINDOWS; w < end; w += OWINDOW_WORDS) {
    if (oracle[w + owindow$shared] !== 0) continue
    oracle[oracle_untracked(w, index)] = 0
    const table = oracle_table(w, index)
    const words = table === 0 ? 0 : oracle[w + owindow$registers] * OREG_WORDS
    for (let i = 0; i < words; i++) oracle[table + i] = 0
  }
}
