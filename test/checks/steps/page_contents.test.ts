// E11: stores to the zero page and to pages of the page cache, and such pages that leave it, on a machine at rest.
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { Kind } from '../../../src/step/kinds.ts'
import { Bench, bootStepped, buildStepped } from './bench.ts'

let bench: Bench

beforeAll(async () => {
  const image = await buildStepped(fileURLToPath(new URL('../fixtures/resting.ts', import.meta.url)))
  bench = new Bench(await bootStepped(image), image)
})

const contents = { name: 'page-contents' }

const pfnOf = (b: Bench, page: number): number => (page - b.s.MEMMAP) / b.s.PAGE_WORDS
const word = (b: Bench, page: number): number => b.s.CONTENT + pfnOf(b, page) * b.s.CONTENT_WORDS

/** The first page of the page cache of an object of this kind. */
function cached(b: Bench, kind: number): number {
  const { s, memory } = b
  for (let page = s.MEMMAP; page < s.PGTABLES; page += s.PAGE_WORDS) {
    const mapping = memory[page + s.page$mapping]
    if (mapping === 0 || (mapping & s.PAGE_MAPPING_ANON) !== 0) continue
    if (memory[mapping + s.address_space$kind] === kind) return page
  }
  throw new Error('no such page')
}
const file = (b: Bench): number => cached(b, b.s.ADDRESS_SPACE_FILE)
const shared = (b: Bench): number => cached(b, b.s.ADDRESS_SPACE_SHMEM)

/** CPU 0's TLB has the page writable, at the first page of a VMA that is shared or private. */
function writable(b: Bench, page: number, vm_shared: boolean): void {
  const { s, memory } = b
  const area = s.PERCPU
  memory[area + s.percpu$loaded_mm] = b.mm
  for (let i = 0; i < memory[b.mm + s.mm$map_count]; i++) {
    const vma = memory[b.mm + s.mm$mm_mt + i]
    if (((memory[vma + s.vma$vm_flags] & s.VM_SHARED) !== 0) !== vm_shared) continue
    memory[area + s.percpu$tlb] = memory[vma + s.vma$vm_start] + 1
    memory[area + s.percpu$tlb + 1] = (pfnOf(b, page) << s.PFN_SHIFT) | s._PAGE_PRESENT | s._PAGE_RW
  }
}

const store = (b: Bench, page: number): void => b.step(0, Kind.USER_WRITE, word(b, page), 1)

test('whoever writes the zero page is a violation of E11 alone', () => {
  const steps = (b: Bench): void => store(b, b.memory[b.s.machine$zero_page])
  expect(bench.violated(steps)).toEqual(['page-contents'])
  expect(bench.message(contents, steps)).toContain('the zero page is written')
})

test('a program stores to a page of the page cache through a shared mapping only', () => {
  const steps =
    (vm_shared: boolean) =>
    (b: Bench): void => {
      writable(b, shared(b), vm_shared)
      store(b, shared(b))
    }
  expect(bench.message(contents, steps(false))).toContain('which it has no shared mapping of')
  expect(bench.message(contents, (b) => store(b, shared(b)))).toContain('which it has no shared mapping of')
  expect(bench.message(contents, steps(true))).toBeUndefined()
})

test('the kernel writes a page of the page cache only while it has no contents yet', () => {
  const steps = (b: Bench): void => b.step(0, Kind.PLAIN_WRITE, word(b, file(b)), 1)
  expect(bench.message(contents, steps)).toContain('overwrites a page of the page cache')
  const fill = (b: Bench): void => {
    b.memory[file(b) + b.s.page$flags] &= ~b.s.PG_uptodate
    steps(b)
  }
  expect(bench.message(contents, fill)).toBeUndefined()
})

test('a page of a file may leave while it holds zeros, one of shared memory not at all', () => {
  const leave = (b: Bench, page: number): void => b.step(0, Kind.ONCE_WRITE, page + b.s.page$mapping, 0)
  const written = (b: Bench): void => {
    b.memory[word(b, file(b)) + 1] = 7
    leave(b, file(b))
  }
  expect(bench.message(contents, written)).toMatch(
    /leaves .*, which is in use, and .* is 7: its contents are lost/,
  )
  expect(bench.message(contents, (b) => leave(b, file(b)))).toBeUndefined()
  expect(bench.message(contents, (b) => leave(b, shared(b)))).toContain('its contents are lost')
  const unused = (b: Bench): void => {
    b.memory[b.memory[shared(b) + b.s.page$mapping] + b.s.address_space$i_count] = 0
    leave(b, shared(b))
  }
  expect(bench.message(contents, unused)).toBeUndefined()
})
