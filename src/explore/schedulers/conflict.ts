/** Whether two pending steps conflict: they touch a common word, and one of them writes. */
import { Kind, KIND_FLAGS, WRITES } from '../../step/kinds.ts'
import type { Pending } from '../../step/scheduler.ts'

/** Whether the pending steps of entities `e` and `f` conflict. An entity that has not begun conflicts with nobody. */
export function conflicts(pending: Pending, e: number, f: number): boolean {
  const { kind } = pending
  if (kind[e] === 0 || kind[f] === 0 || ((KIND_FLAGS[kind[e]] | KIND_FLAGS[kind[f]]) & WRITES) === 0)
    return false
  if (kind[e] !== Kind.COPY && kind[f] !== Kind.COPY)
    return overlap(pending.addr[e], wordsOf(pending, e), pending.addr[f], wordsOf(pending, f))
  return (
    overlap(pending.addr[e], wordsOf(pending, e), pending.addr[f], wordsOf(pending, f)) ||
    readsWhatIsWritten(pending, e, f) ||
    readsWhatIsWritten(pending, f, e)
  )
}

function wordsOf(pending: Pending, e: number): number {
  if (pending.kind[e] === Kind.CLEAR) return pending.a[e]
  return pending.kind[e] === Kind.COPY ? pending.b[e] : 1
}

function readsWhatIsWritten(pending: Pending, copier: number, writer: number): boolean {
  if (pending.kind[copier] !== Kind.COPY || (KIND_FLAGS[pending.kind[writer]] & WRITES) === 0) return false
  return overlap(pending.a[copier], pending.b[copier], pending.addr[writer], wordsOf(pending, writer))
}

function overlap(p: number, n: number, q: number, m: number): boolean {
  return p < q + m && q < p + n
}
