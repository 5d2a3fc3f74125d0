import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { faultsOf, type Kind } from '../../../bench/mutation/kinds.ts'
import type { Node, Source } from '../../../src/kbuild/source.ts'

/** The texts that faults of a kind make of a function's body. */
function mutated(kind: Kind, body: string): string[] {
  const text = `function f(p: number): number {\n${body}\n}`
  const source: Source = { path: '/f.ts', id: 'f.ts', text, patched: false }
  const { program } = parseSync('f.ts', text, { sourceType: 'module', lang: 'ts' })
  return faultsOf(source, (program as unknown as Node).body[0])
    .filter((fault) => fault.kind === kind)
    .map(({ edits }) => {
      let changed = text
      for (const { start, end, text: by } of edits.toSorted((one, other) => other.start - one.start))
        changed = changed.slice(0, start) + by + changed.slice(end)
      return changed.split('\n').slice(1, -1).join('\n')
    })
}

describe('faultsOf', () => {
  it('leaves a recheck out where its failure is counted', () => {
    expect(mutated('recheck', 'if (load(p) !== old) {\n  count_vm_event(RETRY_f)\n  return 1\n}')).toEqual([
      'if (false) {\n  count_vm_event(RETRY_f)\n  return 1\n}',
    ])
    expect(mutated('recheck', 'if (same(p)) g(p)\nelse count_vm_event(RETRY_f)')).toEqual([
      'if (true) g(p)\nelse count_vm_event(RETRY_f)',
    ])
  })

  it('takes two entries for the same', () => {
    expect(mutated('recheck', 'return pte_same(load(p), old) ? 1 : 0')).toEqual(['return true ? 1 : 0'])
  })

  it('leaves out a lock with all its unlocks, and no other lock', () => {
    const body = 'spin_lock(a)\nspin_lock(b)\nif (p) {\n  spin_unlock(a)\n}\nspin_unlock(a)\nspin_unlock(b)'
    expect(mutated('lock', body)).toEqual([
      '{}\nspin_lock(b)\nif (p) {\n  {}\n}\n{}\nspin_unlock(b)',
      'spin_lock(a)\n{}\nif (p) {\n  spin_unlock(a)\n}\nspin_unlock(a)\n{}',
    ])
  })

  it('leaves a lock that another function drops alone', () => {
    expect(mutated('lock', 'spin_lock(a)\nreturn 1')).toEqual([])
  })

  it('splits an atomic operation into a load and a store', () => {
    expect(mutated('atomic', 'atomic_fetch_add(p, 1)')).toEqual(['store(p, load(p) + (1))'])
    expect(mutated('atomic', 'const old = atomic_fetch_or(p, bit)')).toEqual([
      'const old = load(p); store(p, old | (bit))',
    ])
    expect(mutated('atomic', 'const old = cmpxchg(p, 0, v) as Page')).toEqual([
      'const old = load(p) as Page; if (old === (0)) store(p, v)',
    ])
  })

  it('forgets a flush and a count', () => {
    expect(mutated('flush', 'flush_tlb_page(mm, p)')).toEqual(['{}'])
    expect(mutated('counter', 'put_page(p)')).toEqual(['{}'])
  })

  it('turns two statements round where one of them is seen by others, and weakens an order', () => {
    expect(mutated('order', 'f(p)\nset_pte_at(p)')).toEqual(['set_pte_at(p)\nf(p)'])
    expect(mutated('order', 'f(p)\ng(p)')).toEqual([])
    expect(mutated('order', 'return smp_load_acquire(p)')).toEqual(['return READ_ONCE(p)'])
    expect(mutated('order', 'smp_wmb()')).toEqual(['{}'])
  })

  it('negates a condition, drops a part of one, and moves a bound by one', () => {
    expect(mutated('condition', 'if (p === 1) g()')).toEqual(['if (!(p === 1)) g()'])
    expect(mutated('condition', 'return a(p) && b(p)')).toEqual(['return a(p)', 'return b(p)'])
    expect(mutated('condition', 'return p < 3 ? 1 : 0')).toEqual(['return p <= 3 ? 1 : 0'])
  })

  it('leaves what configuration decides, and assertions, alone', () => {
    expect(mutated('condition', 'if (SWAP) g()')).toEqual([])
    expect(mutated('condition', 'return SWAP && a(p)')).toEqual(['return SWAP'])
    expect(mutated('condition', 'BUG_ON(p > 1 && a(p))')).toEqual([])
  })

  it('forgets a step of an error path', () => {
    expect(mutated('undo', 'if (g(p) < 0) {\n  unlock(p)\n  return -1\n}')).toEqual([
      'if (g(p) < 0) {\n  {}\n  return -1\n}',
    ])
  })
})
