// Random calls on one map beside a table of pages that says what must be there: VMAs, contents, reverse maps.
import { expect, it } from 'vitest'
import { type OneCpu, oneCpu } from '../machine.ts'

interface ModelPage {
  prot: number
  shared: boolean
  value: number
}

const BASE = 4096
const PAGES = 96
const SIGSEGV = 11

function random(seed: number): (bound: number) => number {
  let x = seed | 1
  return (bound) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % bound
  }
}

/** The lists of reverse mapping agree with the VMAs, both ways. */
function checkChains({ memory, symbols: s, mm }: OneCpu): void {
  for (let i = 0; i < memory[mm() + s.mm$map_count]; i++) {
    const vma = memory[mm() + s.mm$mm_mt + i]
    if (i > 0)
      expect(memory[vma + s.vma$vm_start]).toBeGreaterThanOrEqual(
        memory[memory[mm() + s.mm$mm_mt + i - 1] + s.vma$vm_end],
      )
    const anonVmas = new Set<number>()
    let last = 0
    for (
      let avc = memory[vma + s.vma$anon_vma_chain];
      avc !== 0;
      avc = memory[avc + s.anon_vma_chain$same_vma_next]
    ) {
      const anonVma = memory[avc + s.anon_vma_chain$anon_vma]
      expect(memory[avc + s.anon_vma_chain$vma]).toBe(vma)
      if (last !== 0) expect(memory[avc + s.anon_vma_chain$same_vma_prev]).toBe(last)
      last = avc
      anonVmas.add(anonVma)
      const listed: number[] = []
      let before = 0
      for (
        let on = memory[anonVma + s.anon_vma$rb_root];
        on !== 0;
        on = memory[on + s.anon_vma_chain$rb_next]
      ) {
        if (before !== 0) {
          expect(memory[on + s.anon_vma_chain$rb_prev]).toBe(before)
          expect(memory[memory[on] + s.vma$vm_pgoff]).toBeGreaterThanOrEqual(
            memory[memory[before] + s.vma$vm_pgoff],
          )
        }
        listed.push(on)
        before = on
      }
      expect(memory[memory[anonVma + s.anon_vma$rb_root] + s.anon_vma_chain$rb_prev]).toBe(before)
      expect(listed.filter((on) => on === avc)).toHaveLength(1)
    }
    if (last !== 0)
      expect(memory[memory[vma + s.vma$anon_vma_chain] + s.anon_vma_chain$same_vma_prev]).toBe(last)
    const own = memory[vma + s.vma$anon_vma]
    expect(own === 0 ? anonVmas.size === 0 : anonVmas.has(own)).toBe(true)
  }
}

/** Every range of pages with the same rights is mapped, and nothing else. */
function checkAreas(m: OneCpu, model: ReadonlyMap<number, ModelPage>): void {
  const mapped = new Map<number, number>()
  for (const { start, end, flags } of m.areas())
    for (let page = start; page < end; page++) mapped.set(page, flags)
  expect(mapped.size).toBe(model.size)
  for (const [page, { prot, shared }] of model) expect(mapped.get(page)).toBe(prot | (shared ? 8 : 0))
  expect(m.memory[m.mm() + m.symbols.mm$total_vm]).toBe(model.size)
}

async function torture(seed: number, steps: number, settings: string[]): Promise<void> {
  const m = await oneCpu(...settings)
  const k = m.kernel
  const rand = random(seed)
  const model = new Map<number, ModelPage>()
  const before = m.usage()
  const children: number[] = []
  const range = (): [number, number] => {
    const start = BASE + rand(PAGES)
    return [start, 1 + rand(BASE + PAGES - start > 24 ? 24 : BASE + PAGES - start)]
  }
  const wholly = (start: number, n: number): boolean =>
    Array.from({ length: n }, (_, i) => model.has(start + i)).every(Boolean)
  for (let step = 0; step < steps; step++) {
    const [start, n] = range()
    const prot = [0, 1, 3, 3][rand(4)]
    const action = rand(20)
    if (action < 3) {
      const shared = rand(4) === 0
      expect(k.sys_mmap(start, n, prot, (shared ? 1 : 2) | 0x10, 0, 0)).toBe(start)
      for (let i = 0; i < n; i++) model.set(start + i, { prot, shared, value: 0 })
    } else if (action < 5) {
      expect(k.sys_munmap(start, n)).toBe(0)
      for (let i = 0; i < n; i++) model.delete(start + i)
    } else if (action < 8) {
      if (!wholly(start, n)) continue
      expect(k.sys_mprotect(start, n, prot)).toBe(0)
      for (let i = 0; i < n; i++) model.get(start + i)!.prot = prot
    } else if (action < 10) {
      if (!wholly(start, n)) continue
      const to = BASE + rand(PAGES - n)
      const result = k.sys_mremap(start, n, n, 3, to) as number
      if (to + n > start && start + n > to) expect(result).toBe(-22)
      if (result < 0) {
        // Refused over more than one VMA; what lay at the new place is gone by then.
        if (result === -14) for (let i = 0; i < n; i++) model.delete(to + i)
        continue
      }
      for (let i = 0; i < n; i++) {
        model.set(to + i, model.get(start + i)!)
        model.delete(start + i)
      }
    } else if (action === 10) {
      k.sys_madvise(start, n, 4)
      for (let i = 0; i < n; i++) {
        const page = model.get(start + i)
        if (page && !page.shared) page.value = 0
      }
    } else if (action === 11 && children.length < 3) {
      const pid = k.sys_fork(1) as number
      if (pid > 0) {
        const s = m.symbols
        children.push(m.memory[m.memory[s.RQ + s.rq$tail] + s.task$mm])
      }
    } else if (action === 12 && children.length > 0) k.mmput(children.splice(rand(children.length), 1)[0])
    else {
      const page = model.get(start)
      const write = rand(3) > 0
      if (write) {
        const denied = page === undefined || (page.prot & 2) === 0
        expect(k.user_store(start, 0, step + 1)).toBe(denied ? SIGSEGV : 0)
        if (page && !denied) page.value = step + 1
      } else {
        const value = k.user_load(start, 0) as number
        if (page === undefined || page.prot === 0) expect(k.user_signal()).toBe(SIGSEGV)
        else expect(value).toBe(page.value)
      }
    }
    if (step % 8 === 0) {
      checkAreas(m, model)
      checkChains(m)
    }
  }
  for (const child of children) k.mmput(child)
  k.sys_munmap(BASE, PAGES)
  const after = m.usage()
  expect(after.objects.slice(1)).toEqual(before.objects.slice(1))
  expect([after.freePages, after.tables]).toEqual([before.freePages, before.tables])
}

it('random calls leave what a table of pages says', async () => {
  for (let seed = 1; seed <= 3; seed++) await torture(seed * 7919, 1000, ['PTRS_PER_TABLE=16'])
})

it('the same holds where both locks of a move can coincide', async () => {
  await torture(4711, 800, ['PTRS_PER_TABLE=16', 'PTLOCK=hashed', 'PTLOCK_HASH=1'])
  await torture(4712, 800, ['PTRS_PER_TABLE=16', 'PTLOCK=mm', 'COW_REUSE=mapcount'])
})

it('the same holds where faults lock their VMA', async () => {
  await torture(4713, 800, ['PTRS_PER_TABLE=16', 'VMA_LOCK=y'])
})
