// A stepped machine after setup whose checks are shown made-up steps. Each is done to memory as the machine would do
// it. Leaves out scheduling: the test says who steps when.
import { fileURLToPath } from 'node:url'
import { type StepCheckKind, STEP_CHECKS, stepChecks } from '../../../src/checks/steps/index.ts'
import type { KernelSymbols } from '../../../src/inspect/symbols.ts'
import { kbuild, type KernelImage, loadSteppedImage, parseConfig } from '../../../src/kbuild/index.ts'
import { SteppedMachine } from '../../../src/machine/stepped/machine.ts'
import { type Observer, Violation } from '../../../src/step/observer.ts'
import { perform } from '../../../src/step/effect.ts'

const ABSTRACT = fileURLToPath(new URL('../../../src/kernel/locking/spinlock/abstract.ts', import.meta.url))

/** CPUs of a booted machine; context CPUS + c is CPU c in an interrupt. */
export const CPUS = 2

export async function buildStepped(scenario: string, settings: readonly string[] = []): Promise<KernelImage> {
  return kbuild(parseConfig(['MEMORY=4M', 'NR_CPUS=4', `SPINLOCK=${ABSTRACT}`, ...settings]), {
    scenario,
    image: 'stepped',
  })
}

export async function bootStepped(
  image: KernelImage,
  options: Partial<ConstructorParameters<typeof SteppedMachine>[2]> = {},
): Promise<SteppedMachine> {
  const boot = await loadSteppedImage(image)
  return new SteppedMachine(boot, image.symbols, {
    cpus: CPUS,
    seed: 1,
    turns: 2,
    pages: 3,
    stepLimit: 100_000,
    ...options,
  })
}

export class Bench {
  readonly s: KernelSymbols
  readonly memory: Int32Array
  observer: Observer
  readonly #machine: SteppedMachine
  readonly #image: KernelImage
  readonly #base: Int32Array

  constructor(machine: SteppedMachine, image: KernelImage) {
    this.#machine = machine
    this.#image = image
    this.s = image.symbols as KernelSymbols
    this.memory = machine.memory
    this.#base = machine.memory.slice()
    this.observer = stepChecks(machine, image)
  }

  /** Names of the checks that `steps` violates, each of them alone on the machine as setup left it. */
  violated(steps: (bench: this) => void): string[] {
    return STEP_CHECKS.filter(
      (kind) => kind.insteadOf === undefined && this.message(kind, steps) !== undefined,
    ).map(({ name }) => name)
  }

  /** What the check says about `steps`; undefined: they are clean. */
  message(kind: Pick<StepCheckKind, 'name'>, steps: (bench: this) => void): string | undefined {
    return this.violation(kind, steps)?.message
  }

  /** What the check throws about `steps`; undefined: they are clean. */
  violation({ name }: Pick<StepCheckKind, 'name'>, steps: (bench: this) => void): Violation | undefined {
    const off = new Set(STEP_CHECKS.map((kind) => kind.name).filter((other) => other !== name))
    this.memory.set(this.#base)
    this.observer = stepChecks(this.#machine, this.#image, off)
    this.observer.begin()
    try {
      steps(this)
      this.observer.end?.()
      return undefined
    } catch (error) {
      if (error instanceof Violation) return error
      throw error
    } finally {
      this.memory.set(this.#base)
    }
  }

  /** CPU `cpu` takes a step in function `fn`. */
  step(cpu: number, kind: number, addr: number, a = 0, b = 0, fn = 'do_wp_page'): void {
    const { memory } = this
    const old = memory[addr]
    perform(memory, kind, addr, a, b, cpu)
    const site = this.#siteIn(fn)
    this.#machine.site[cpu] = site
    this.observer.step!(cpu, kind, addr, a, b, old, old, site)
  }

  /** CPU `cpu` gives an object back. */
  free(cpu: number, object: number): void {
    this.observer.objectFreed!(cpu, object, this.#siteIn('kmem_cache_free'))
  }

  #siteIn(fn: string): number {
    const site = this.#image.sites.findIndex((each) => each.fn === fn || each.helper === fn)
    if (site < 0) throw new Error(`no step stands in ${fn}`)
    return site
  }

  /** CPU `cpu` takes the lock of a page table. */
  lock(cpu: number, table: number): void {
    this.observer.tableLocked!(cpu, table, 0, this.s.PTRS_PER_TABLE, this.s.PTL_WRITE)
  }

  /** `steps` while CPU `cpu` holds the lock of a page table. */
  holding(cpu: number, table: number, steps: () => void): void {
    this.lock(cpu, table)
    steps()
    this.observer.tableUnlocked!(cpu, table, 0, this.s.PTRS_PER_TABLE, this.s.PTL_WRITE)
  }

  /** The mm of the fixture. */
  get mm(): number {
    const { s, memory } = this
    for (let i = 0; i < s.NR_MMS; i++)
      if (memory[s.MMS + i * s.MM_WORDS + s.mm$map_count] > 0) return s.MMS + i * s.MM_WORDS
    throw new Error('no mm has a mapping')
  }

  /** Address of the first PTE of the fixture's area, and the struct page of its table. */
  get pte(): { readonly addr: number; readonly table: number } {
    const { s, memory } = this
    for (let pfn = 0; pfn < s.NR_PAGES; pfn++)
      for (let i = 0; i < s.PTRS_PER_TABLE; i++) {
        const addr = s.PGTABLES + pfn * s.PTRS_PER_TABLE + i
        const table = s.MEMMAP + pfn * s.PAGE_WORDS
        if ((memory[table + s.page$flags] & s.PG_table) !== 0 && (memory[addr] & s._PAGE_DIRTY) !== 0)
          return { addr, table }
      }
    throw new Error('nothing is mapped')
  }

  /** The struct page that a PTE maps. */
  pageOf(pte: number): number {
    return this.s.MEMMAP + (pte >>> this.s.PFN_SHIFT) * this.s.PAGE_WORDS
  }
}
