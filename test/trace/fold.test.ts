import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { CHUNK_PAGES, foldPages } from '../../src/trace/fold.ts'

test('page 0 of the model stays free, even when the recording touches page 0', () => {
  expect(foldPages([0], 31).page(0)).toBe(CHUNK_PAGES)
})

test('offsets within 2 MiB stay', () => {
  const page = 0x7fb6d25f1
  expect(foldPages([page], 31).page(page) % CHUNK_PAGES).toBe(page % CHUNK_PAGES)
})

test('a gap larger than 1 GiB shrinks to 1 GiB', () => {
  const fold = foldPages([0x55b1a5200, 0x7fb6d2400], 31)
  expect(fold.page(0x7fb6d2400) - fold.page(0x55b1a5200)).toBe(262144)
})

test('the end of a range that ends with a chunk is the page after its last', () => {
  const fold = foldPages([0, CHUNK_PAGES - 1], 31)
  expect(fold.end(CHUNK_PAGES)).toBe(fold.page(CHUNK_PAGES - 1) + 1)
})

test('what does not fit in a small space is a usage error that says how many bits would do', () => {
  const pages = Array.from({ length: 40 }, (_, chunk) => chunk * CHUNK_PAGES)
  expect(() => foldPages(pages, 14)).toThrow(UsageError)
  expect(() => foldPages(pages, 14)).toThrow('needs page numbers of 15 bits')
  expect(foldPages(pages, 15).limit).toBeLessThan(2 ** 15)
})

test('order, neighbourhood and gaps of chunks survive in any space they fit in', () => {
  const page = fc.oneof(fc.nat(20_000), fc.nat({ max: 2 ** 35 - 1 }))
  fc.assert(
    fc.property(
      fc.array(page, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(18, 21, 31),
      (pages, bits) => {
        const fold = foldPages(pages, bits)
        const sorted = pages.toSorted((a, b) => a - b)
        for (let index = 1; index < sorted.length; index++) {
          const chunk = (n: number) => Math.floor(n / CHUNK_PAGES)
          const distance = chunk(sorted[index]!) - chunk(sorted[index - 1]!)
          const folded = chunk(fold.page(sorted[index]!)) - chunk(fold.page(sorted[index - 1]!))
          expect(Math.min(folded, 2)).toBe(Math.min(distance, 2))
          expect(folded).toBeLessThanOrEqual(distance)
        }
        expect(fold.limit).toBeLessThan(2 ** bits)
      },
    ),
  )
})
