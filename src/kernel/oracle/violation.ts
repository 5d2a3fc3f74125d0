/**
 * What a violation leaves behind for whoever reports it (src/inspect/oracle_report.ts).
 */
import { load, smp_processor_id, this_cpu_read } from '../arch/access.ts'
import { BUG_ORACLE } from '../arch/bug.ts'
import { machine_bug, oracle } from '../arch/machine.ts'
import { percpu$current, percpu$loaded_mm } from '../arch/percpu.ts'
import { mm$id, task$pid } from '../arch/structs.ts'
import {
  ORACLE_RECORDS,
  ORECORD_WORDS,
  orecord$addr,
  orecord$base,
  orecord$cpu,
  orecord$inherited_side,
  orecord$lower,
  orecord$mm_id,
  orecord$page,
  orecord$pid,
  orecord$register,
  orecord$seen,
  orecord$side,
  orecord$upper,
  orecord$value,
  orecord$word,
  orecord$writer_pid,
  orecord$zero,
  oreg$base,
  oreg$seen,
  oreg$side,
  oreg$writer,
  oreg$zero,
} from './layout.ts'
import { oracle_index, oracle_side } from './windows.ts'

export function oracle_violation(
  w: number,
  r: number,
  page: number,
  addr: number,
  word: number,
  value: number,
  lower: number,
  upper: number,
): void {
  const cpu = smp_processor_id()
  const record = ORACLE_RECORDS + cpu * ORECORD_WORDS
  const writer = oracle[r + oreg$writer]
  oracle[record + orecord$mm_id] = load(this_cpu_read(percpu$loaded_mm) + mm$id)
  oracle[record + orecord$page] = page
  oracle[record + orecord$word] = word
  oracle[record + orecord$value] = value
  oracle[record + orecord$lower] = lower
  oracle[record + orecord$upper] = upper
  oracle[record + orecord$base] = oracle[r + oreg$base]
  oracle[record + orecord$zero] = oracle[r + oreg$zero]
  oracle[record + orecord$pid] = load(this_cpu_read(percpu$current) + task$pid)
  oracle[record + orecord$writer_pid] = writer === 0 ? 0 : load(writer + task$pid)
  oracle[record + orecord$register] = oracle_index(w, page, word)
  oracle[record + orecord$side] = oracle_side(w)
  oracle[record + orecord$inherited_side] = oracle[r + oreg$side]
  oracle[record + orecord$cpu] = cpu
  oracle[record + orecord$addr] = addr
  oracle[record + orecord$seen] = oracle[r + oreg$seen]
  machine_bug(BUG_ORACLE, record, 0)
}
