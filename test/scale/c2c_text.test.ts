import { expect, test } from 'vitest'
import type { Site } from '../../src/step/site.ts'
import { CACHE } from '../../src/machine/clock/observer.ts'
import { Kind } from '../../src/step/kinds.ts'
import { Profile } from '../../src/scale/profile.ts'
import type { MachineView } from '../../src/inspect/symbols.ts'
import { formatC2c } from '../../src/scale/c2c_text.ts'

/** Two pages, of which the second is a table. */
const memory = new Int32Array(4096)
const symbols = {
  ...{ MEMMAP: 1024, PAGE_WORDS: 16, NR_PAGES: 2, page$flags: 0, page$_refcount: 4, PG_table: 8 },
  ...{ PERCPU: 512, PERCPU_WORDS: 16, NR_CPUS: 4 },
}
memory[1040] = symbols.PG_table
const view = { memory, symbols } as unknown as MachineView

const SITES = ['get_page', 'put_page', 'page_count', 'page_mapped'].map(
  (fn, index) => ({ fn, file: 'src/kernel/mm/mm.ts', line: index + 1, column: 1 }) as unknown as Site,
)

function told(): string {
  const profile = new Profile(SITES, () => [])
  const met = (site: number, addr: number, kind: number, times: number): void => {
    for (let n = 0; n < times; n++) profile.access(n & 1, site, addr, kind, CACHE, 0, 50)
  }
  met(0, 1028, Kind.FETCH_ADD, 5)
  met(1, 1028, Kind.FETCH_ADD, 3)
  met(2, 1028, Kind.PLAIN_READ, 1)
  met(3, 1028, Kind.PLAIN_READ, 2)
  met(2, 1040, Kind.PLAIN_READ, 1)
  return formatC2c(view, profile, SITES)
}

test('each word has the place that reads it most often, and the one that writes it', () => {
  expect(told()).toMatch(
    /page _refcount +2 CPUs {2}read +\[k\] page_mapped .*:4\n +write +\[k\] get_page .*:1\n/,
  )
})

test("tables' pages are lines of their own", () => {
  expect(told()).toMatch(/^ +0 page flags .*\n +1 page \(table\) flags/m)
})

test('shares among the lines that are listed are called so', () => {
  expect(told()).toMatch(/Stores +of these +of time\n +0 page flags +1 +3 +8 +91\.67% +91\.67%\n/)
})
