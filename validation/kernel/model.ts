// The model: the same calls on one CPU of the clock, and its address spaces in the end.
import { join } from 'node:path'
import { packageRoot } from '../../src/base/root.ts'
import { findTopology } from '../../src/catalog/topologies.ts'
import { CHECKS } from '../../src/checks/index.ts'
import { type MmView, RestingMachine } from '../../src/checks/resting_machine.ts'
import { kbuild, type KernelImage, loadSteppedImage, parseConfig } from '../../src/kbuild/index.ts'
import { ClockMachine } from '../../src/machine/clock/machine.ts'
import { compileTopology } from '../../src/machine/clock/topology.ts'
import type { SteppedBoot } from '../../src/machine/stepped/machine.ts'
import type { Call } from './calls.ts'
import * as layout from './layout.ts'
import type { Mapping, Outcome, Outcomes } from './outcome.ts'

/** Of the calls and what comes of them. */
const MOST_WORDS = 1 << 16
const SCENARIO = 'validation/scenarios/kernel-calls.ts'

export class ModelKernel {
  readonly #image: KernelImage
  readonly #boot: SteppedBoot
  #booted: Int32Array | undefined

  private constructor(image: KernelImage, boot: SteppedBoot) {
    this.#image = image
    this.#boot = boot
  }

  static async build(patches: readonly string[], settings: readonly string[] = []): Promise<ModelKernel> {
    const config = parseConfig(['NR_CPUS=2', 'MEMORY=16M', 'FAULT_AROUND=16', ...settings])
    const image = await kbuild(config, { scenario: join(packageRoot(), SCENARIO), patches, image: 'stepped' })
    return new ModelKernel(image, await loadSteppedImage(image))
  }

  /** Does the calls. Throws if the model stops at a BUG or a check fails. */
  run(calls: readonly Call[]): Outcomes {
    const { symbols } = this.#image
    const bootData = encode(calls)
    const { topology, boxes } = findTopology('milan')
    const machine = new ClockMachine(this.#boot, symbols, {
      hardware: compileTopology(topology, boxes, 1, false),
      ...{ seed: 1, lag: 0, pages: 0, section: 0, think: 0 },
      // Machines of one image are booted once, so all have the same memory.
      bootData,
      bootScratch: MOST_WORDS - bootData.length,
      ...(this.#booted === undefined ? {} : { booted: this.#booted }),
    })
    this.#booted = machine.booted
    machine.run({ operations: Infinity, time: Infinity })
    const view = new RestingMachine({ memory: machine.memory, symbols }, 'running')
    mustHold(view)
    return { calls: outcomes(machine.memory, symbols['BOOT_DATA'], calls.length), mappings: mappingsOf(view) }
  }
}

function encode(calls: readonly Call[]): Int32Array {
  const words = new Int32Array(layout.CALLS_HEADER_WORDS + calls.length * layout.CALL_WORDS)
  words[layout.calls_header$count] = calls.length
  calls.forEach(({ process, kind, args }, index) =>
    words.set([process, kind, ...args], layout.CALLS_HEADER_WORDS + index * layout.CALL_WORDS),
  )
  return words
}

function outcomes(memory: Int32Array, bootData: number, count: number): Outcome[] {
  const first = bootData + layout.CALLS_HEADER_WORDS + count * layout.CALL_WORDS
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * layout.OUTCOME_WORDS
    return {
      result: memory[at + layout.outcome$result],
      fault: memory[at + layout.outcome$fault] !== 0,
      signal: memory[at + layout.outcome$signal],
      value: memory[at + layout.outcome$value],
    }
  })
}

/** Throws if a check at rest fails. */
function mustHold(view: RestingMachine): void {
  for (const check of CHECKS) {
    const found = check.run(view)
    if (found !== null && found !== 'not applicable') throw new Error(`${check.id} ${check.name}: ${found}`)
  }
}

/** The mappings of each process that is left. */
function mappingsOf(view: RestingMachine): Mapping[] {
  const { memory, symbols: s } = view
  const found: Mapping[] = []
  for (const task of view.caches['task_struct'].inUse()) {
    const process = memory[task + s.task$program] - 1
    const mm = view.mms.find(({ address }) => address === memory[task + s.task$mm])
    if (process >= 0 && mm !== undefined) found.push(...mappingsOfMm(view, process, mm))
  }
  return found.toSorted((one, other) => one.process - other.process || one.start - other.start)
}

function mappingsOfMm(view: RestingMachine, process: number, mm: MmView): Mapping[] {
  return mm.vmas.map(({ start, end, flags }) => {
    let rss = 0
    let anonymous = 0
    for (let addr = start; addr < end; addr++) {
      const page = pageAt(view, mm, addr)
      if (page === 0) continue
      rss++
      if ((view.memory[page + view.symbols.page$mapping] & 1) !== 0) anonymous++
    }
    const [from, to] = [start - layout.CALLS_BASE, end - layout.CALLS_BASE]
    return { process, start: from, end: to, rss, anonymous, flags: flagNames(view, flags) }
  })
}

/** The struct page that is mapped; 0: none, or the zero page. */
function pageAt(view: RestingMachine, mm: MmView, addr: number): number {
  const s = view.symbols
  const pte = view.mappings.lookup(mm.address, addr)
  const present = (pte & (s._PAGE_PRESENT | s._PAGE_PROTNONE)) !== 0
  return present && (pte & s._PAGE_SPECIAL) === 0 ? view.page(pte >>> s.PFN_SHIFT) : 0
}

function flagNames({ symbols: s }: RestingMachine, flags: number): string {
  const names: [number, string][] = [
    [s.VM_READ, 'rd'],
    [s.VM_WRITE, 'wr'],
    [s.VM_EXEC, 'ex'],
    [s.VM_SHARED, 'sh'],
    [s.VM_ACCOUNT, 'ac'],
    [s.VM_NORESERVE, 'nr'],
    [s.VM_DONTCOPY, 'dc'],
    [s.VM_DONTDUMP, 'dd'],
    [s.VM_WIPEONFORK, 'wf'],
    [s.VM_SEQ_READ, 'sr'],
    [s.VM_RAND_READ, 'rr'],
  ]
  return names
    .filter(([flag]) => (flags & flag) !== 0)
    .map(([, name]) => name)
    .toSorted()
    .join(' ')
}
