/** Whether two pending steps conflict: they touch a common word, and one of them writes. */
import { Kind, KIND_FLAGS, WRITES } from '../../step/kinds.ts'
import { wordsOf } from '../../step/effect.ts'
import type { Pending } from '../../step/scheduler.ts'

/** Whether the pending steps of contexts `e` and `f` conflict. A context that has not begun conflicts with nobody. */
export function conflicts(pending: Pending, e: number, f: number): boolean {
  const { kind } = pending
  if (kind[e] === 0 || kind[f] === 0 || ((KIND_FLAGS[kind[e]] | KIND_FLAGS[kind[f]]) & WRITES) === 0)
    return false
  if (kind[e] !== Kind.COPY && kind[f] !== Kind.COPY)
    return overlap(pending.addr[e], wordsAt(pending, e), pending.addr[f], wordsAt(pending, f))
  return (
    overlap(pending.addr[e], wordsAt(pending, e), pending.addr[f], wordsAt(pending, f)) ||
    readsWhatIsWritten(pending, e, f) ||
    readsWhatIsWritten(pending, f, e)
  )
}

function wordsAt(pending: Pending, e: number): number {
  return wordsOf(pending.kind[e], pending.a[e], pending.b[e])
}

function readsWhatIsWritten(pending: Pending, copier: number, writer: number): boolean {
  if (pending.kind[copier] !== Kind.COPY || (KIND_FLAGS[pending.kind[writer]] & WRITES) === 0) return false
  return overlap(pending.a[copier], pending.b[copier], pending.addr[writer], wordsAt(pending, writer))
}

function overlap(p: number, n: number, q: number, m: number): boolean {
  return p < q + m && q < p + n
}
