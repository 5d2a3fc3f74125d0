// Watches one execution and puts each step into words while the machine stands at it. Leaves out which steps matter:
// interleaving.ts.
import type { Site } from '../step/site.ts'
import { Kind, KIND_FLAGS, KIND_NAMES, WRITES } from '../step/kinds.ts'
import type { Observer } from '../step/observer.ts'
import { isRange, valueAfter, wordsOf } from '../step/effect.ts'
import type { MachineView } from '../inspect/symbols.ts'
import { isHousekeeping, lockHolder, nameValue, nameWord } from '../inspect/hunt_names.ts'

/** A step as the report describes it. */
export interface DescribedStep {
  /** Position in the execution. */
  readonly index: number
  readonly context: number
  readonly cpu: number
  /** Taken while the CPU handled an interrupt. */
  readonly irq: boolean
  readonly kind: number
  readonly site: number
  readonly address: number
  /** Words from the address on; the source of a copy. */
  readonly words: number
  readonly from?: number
  readonly function: string
  /** The helper that holds the access. */
  readonly helper?: string
  readonly file: string
  readonly line: number
  /** The primitive that was called: `cmpxchg`. */
  readonly access: string
  /** `page 0x1a3 _refcount`. */
  readonly object: string
  readonly old: number
  /** What the word holds afterwards. */
  readonly value: number
  readonly writes: boolean
  /** Locks, the run queue and the like. */
  readonly housekeeping: boolean
  /** Access, object and values in one phrase. */
  readonly text: string
  /** It did not happen: the CPU wanted it when the execution ended. */
  readonly pending?: 'waiting' | 'next'
}

/** Machine and places that the narrator asks; a subset of SteppedMachine. */
export interface Narrated extends MachineView {
  readonly cpus: number
}

export class Narrator implements Observer {
  readonly steps: DescribedStep[] = []
  readonly #machine: Narrated
  readonly #sites: readonly Site[]

  constructor(machine: Narrated, sites: readonly Site[]) {
    this.#machine = machine
    this.#sites = sites
  }

  begin(): void {
    this.steps.length = 0
  }

  step(
    context: number,
    kind: number,
    addr: number,
    a: number,
    b: number,
    old: number,
    result: number,
    site: number,
  ): void {
    this.steps.push(
      describeStep(this.#machine, this.#sites, this.steps.length, {
        context,
        kind,
        addr,
        a,
        b,
        old,
        result,
        site,
      }),
    )
  }
}

/** A step as Observer.step gives it. */
export interface RawStep {
  readonly context: number
  readonly kind: number
  readonly addr: number
  readonly a: number
  readonly b: number
  readonly old: number
  readonly result: number
  readonly site: number
}

/** The step in words, as memory is now; `pending`: it has not been performed. */
export function describeStep(
  machine: Narrated,
  sites: readonly Site[],
  index: number,
  step: RawStep,
  pending?: 'waiting' | 'next',
): DescribedStep {
  const { context, kind, addr, a, b, old } = step
  const place = sites[step.site]
  const object = nameWord(machine, addr)
  const cpu = context < machine.cpus ? context : context - machine.cpus
  const value = pending === undefined ? valueOf(machine, step, cpu) : old
  const access = place?.primitive ?? KIND_NAMES[kind] ?? 'access'
  const words = wordsOf(kind, a, b)
  return {
    index,
    context,
    cpu,
    irq: context >= machine.cpus,
    kind,
    site: step.site,
    address: addr,
    words,
    ...(kind === Kind.COPY ? { from: a } : {}),
    function: place?.fn ?? '?',
    ...(place?.helper === undefined ? {} : { helper: place.helper }),
    file: place?.file ?? '?',
    line: place?.line ?? 0,
    access,
    object,
    old,
    value,
    writes: (KIND_FLAGS[kind] & WRITES) !== 0,
    housekeeping: isHousekeeping(object),
    text: phrase(machine, step, access, object, value, words, pending),
    ...(pending === undefined ? {} : { pending }),
  }
}

/** What the first word holds after the step: of a range, as memory is now. */
function valueOf(machine: Narrated, { kind, addr, a, b, old }: RawStep, cpu: number): number {
  return isRange(kind) ? machine.memory[addr] : valueAfter(kind, old, a, b, cpu)
}

function phrase(
  machine: Narrated,
  { kind, addr, a, b, old, result }: RawStep,
  access: string,
  object: string,
  value: number,
  words: number,
  pending: 'waiting' | 'next' | undefined,
): string {
  const shown = (word: number): string => nameValue(machine, addr, object, word)
  const change = `${shown(old)} -> ${shown(value)}`
  switch (kind) {
    case Kind.LOCK:
      return pending === undefined
        ? `lock ${object}`
        : `waits for ${object}${old === 0 ? '' : `, held by ${lockHolder(old)}`}`
    case Kind.TRYLOCK:
      return `trylock ${object}: ${result === 1 ? 'taken' : `held by ${lockHolder(old)}`}`
    case Kind.UNLOCK:
      return `unlock ${object}`
    case Kind.WAIT:
    case Kind.SPIN:
    case Kind.HALT:
      return pending === undefined
        ? `${access} ${object}: ${shown(old)}`
        : `waits while ${object} is ${shown(a)}`
    case Kind.NOTIFY:
      return `${access} ${object}`
    case Kind.CLEAR:
      return `${access} ${object}${words > 1 ? ` and ${words - 1} more words` : ''} = ${shown(b)}`
    case Kind.COPY:
      return `${access} ${words} words from ${nameWord(machine, a)} to ${object}`
  }
  if (pending !== undefined) return `${access} ${object}, now ${shown(old)}`
  if (kind === Kind.CMPXCHG && result !== a)
    return `${access} ${object} fails: ${shown(old)}, expected ${shown(a)}`
  if ((KIND_FLAGS[kind] & WRITES) === 0) return `${access} ${object}: ${shown(old)}`
  return `${access} ${object} ${change}`
}
