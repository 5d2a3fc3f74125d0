// zap_pte_range of src/kernel/mm/memory/zap_page_range.ts on the stepped machine, when the gather is full: what the TLB
// has when the table's lock is dropped.
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { hunt } from '../../../../src/explore/hunt.ts'
import { SCHEDULERS } from '../../../../src/explore/schedulers/index.ts'
import { buildHunt } from '../../../../src/hunt/build.ts'
import { huntSettings } from '../../../../src/hunt/plan.ts'
import { parseConfig } from '../../../../src/kbuild/config.ts'
import type { Observer } from '../../../../src/step/observer.ts'

/** Counts the translations that CPU 0 has whenever it drops a table's lock with a full gather. */
class FullGather implements Observer {
  readonly translations: number[] = []
  readonly #memory: Int32Array
  readonly #symbols: Readonly<Record<string, number>>

  constructor(memory: Int32Array, symbols: Readonly<Record<string, number>>) {
    this.#memory = memory
    this.#symbols = symbols
  }

  begin(): void {
    this.translations.length = 0
  }

  tableUnlocked(): void {
    const { PERCPU, percpu$tlb, tlb$nr, TLB_ENTRIES, MAX_GATHER_BATCH } = this.#symbols
    if (this.#memory[PERCPU + tlb$nr] !== MAX_GATHER_BATCH) return
    const tlb = this.#memory.subarray(PERCPU + percpu$tlb, PERCPU + percpu$tlb + 2 * TLB_ENTRIES)
    this.translations.push(tlb.filter((word, i) => i % 2 === 0 && word !== 0).length)
  }
}

it('a full gather is flushed before the lock of the table is dropped', { timeout: 60_000 }, async () => {
  const built = await buildHunt({
    config: parseConfig(huntSettings(1, [])),
    scenario: fileURLToPath(new URL('fixtures/discard_many.ts', import.meta.url)),
    patches: [],
    seed: 1,
    stepLimit: 20_000,
    off: [],
  })
  const { machine } = built.make({ cpus: 1, operations: 1, pages: 1 })
  const observer = new FullGather(machine.memory, built.image.symbols)
  const options = { seed: 1, scheduler: SCHEDULERS[0], sites: built.image.sites.length, executions: 1 }
  const { violations } = hunt({ machine, observers: [observer] }, options)
  expect(violations).toEqual([])
  expect(observer.translations).toEqual([0])
})
