// E13: memory fails only when it has run out. A system call ends with -ENOMEM, a fault with VM_FAULT_OOM, a task by the
// OOM killer only in an execution in which an allocation failed before. By the kernel's event counters, as they are
// when mmap_lock is written and at the end. Leaves out which allocation it was, and calls that fail for a limit, for
// want of room or at a hole: the kernel counts those, and one of them excuses all that come after it.
import type { StepCheck, StepCheckKind } from './check.ts'
import type { Watch } from './watch.ts'
import { Word, wordSet } from './words.ts'

const NAME = 'enomem'

export const enomem: StepCheckKind = {
  id: 'E13',
  name: NAME,
  description:
    'A call ends with -ENOMEM, a fault with VM_FAULT_OOM, a task by the OOM killer only after an allocation failed.',
  cost: 'a few ns a change of mmap_lock',
  create: (watch) => new Enomem(watch),
}

/** An effect, and the events that may be its cause. */
interface Rule {
  readonly effect: number
  readonly causes: readonly number[]
  readonly text: string
}

class Enomem implements StepCheck {
  readonly reads = 0
  readonly writes = wordSet(Word.MMAP_LOCK)
  readonly #watch: Watch
  readonly #rules: readonly Rule[]
  /** By event: its count when the execution began. */
  readonly #base = new Map<number, number>()

  constructor(watch: Watch) {
    const { s } = watch
    this.#watch = watch
    this.#rules = [
      {
        effect: s.ENOMEM_CALLS,
        causes: [s.ENOMEM_REFUSED, s.ALLOC_FAILED, s.MEMCG_MAX],
        text: 'a system call returned -ENOMEM, and no allocation has failed, no limit was met and there was no hole',
      },
      {
        effect: s.OOM_FAULTS,
        // A slot that was freed and is the same entry's again looks so, in Linux too: the fault is tried again.
        causes: [s.ALLOC_FAILED, s.MEMCG_MAX, s.SWAPIN_GONE],
        text: 'a fault ended with VM_FAULT_OOM, and no allocation has failed',
      },
      {
        effect: s.OOM_KILL,
        causes: [s.ALLOCSTALL, s.MEMCG_MAX],
        text: 'the OOM killer has killed, and nobody has tried to reclaim memory for an allocation',
      },
    ]
  }

  begin(): void {
    const { stat } = this.#watch
    for (const { effect, causes } of this.#rules)
      for (const event of [effect, ...causes]) this.#base.set(event, stat[event])
  }

  step({ context, site }: { readonly context: number; readonly site: number }): void {
    this.#look(context, site)
  }

  end(): void {
    this.#look(0, this.#watch.lastSite(0))
  }

  #look(context: number, site: number): void {
    for (const { effect, causes, text } of this.#rules)
      if (this.#happened(effect) && !causes.some((event) => this.#happened(event)))
        this.#watch.fail(NAME, context, site, text)
  }

  #happened(event: number): boolean {
    return this.#watch.stat[event] !== this.#base.get(event)
  }
}
