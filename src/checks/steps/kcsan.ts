// KCSAN: data races by the kernel's own marks on its accesses: two accesses of different CPUs to one word, at least one
// of them a write and at least one plain, with nothing that orders them (clocks.ts). Not by sampling as kernel/kcsan
// does, but every pair. Accesses of user programs race with each other at their own risk; that they see contents the
// kernel wrote before it published the page is checked. Leaves out per-CPU words that are reached by this_cpu_*, which
// are no steps.
import { isRange, wordsOf } from '../../step/effect.ts'
import { Kind, KIND_FLAGS, KINDS, PLAIN, READS, WRITES } from '../../step/kinds.ts'
import { FENCE_RMB, FENCE_WMB } from '../../step/observer.ts'
import { Violation } from '../../step/observer.ts'
import { hex } from '../../inspect/names.ts'
import type { Step, StepCheck, StepCheckKind } from './check.ts'
import { Clocks } from './clocks.ts'
import { Dependencies } from './dependencies.ts'
import type { Watch } from './watch.ts'
import { ALL_WORDS } from './words.ts'

const NAME = 'kcsan'

/** Read-modify-writes that Linux makes without a value, and so without order (Documentation/atomic_t.txt). */
const RELAXED = [
  'get_page',
  'get_anon_vma',
  'mmget',
  'mm_inc_nr_tables',
  'add_mm_counter',
  'inc_tlb_flush_pending',
  'dec_tlb_flush_pending',
  'SetPageFlag',
  'ClearPageFlag',
  'ptep_set_wrprotect',
  '__page_dup_rmap',
]

// What an access is, and what the access of another CPU must be to conflict with it: bits of the four.
const PLAIN_READ = 0
const MARKED_READ = 1
const PLAIN_WRITE = 2
const MARKED_WRITE = 3
const CONFLICTS = [0b1100, 0b0100, 0b1111, 0b0101]
const TEXTS = ['read', 'read (marked)', 'write', 'write (marked)']

// What a step does, by kind.
const IGNORED = 0
const LOAD = 1
const STORE = 2
const MARKED_LOAD = 3
const MARKED_STORE = 4
const RELEASE = 5
const UPDATE = 6
const COMPARE = 7
const LOCK = 8
const TRY = 9
const RANGE = 10
const USER = 11

const ACTIONS = Uint8Array.from({ length: KINDS }, (_, kind) => actionOf(kind))

/** What a kind of step is to the race detector: from what it does to memory, and which order Linux gives it. */
function actionOf(kind: number): number {
  const flags = KIND_FLAGS[kind]
  switch (kind) {
    case Kind.RACE_READ:
    case Kind.NOTIFY:
      return IGNORED
    case Kind.USER_READ:
    case Kind.USER_WRITE:
      return USER
    case Kind.LOCK:
      return LOCK
    case Kind.TRYLOCK:
      return TRY
    case Kind.CMPXCHG:
      return COMPARE
    case Kind.ONCE_WRITE:
      return MARKED_STORE
  }
  if (isRange(kind)) return RANGE
  if ((flags & PLAIN) !== 0) return (flags & WRITES) !== 0 ? STORE : LOAD
  if ((flags & READS) !== 0) return (flags & WRITES) !== 0 ? UPDATE : MARKED_LOAD
  return (flags & WRITES) !== 0 ? RELEASE : IGNORED
}

export const kcsan: StepCheckKind = {
  id: '',
  name: NAME,
  description: 'Conflicting accesses of two CPUs are ordered, or both are marked.',
  cost: 'some 15 ns a step',
  create: (watch) => new Kcsan(watch, NAME),
}

export const kcsanStrict: StepCheckKind = {
  id: '',
  name: 'kcsan-strict',
  description:
    'As kcsan, but READ_ONCE orders only what depends on it and what is behind smp_rmb: off unless it is named.',
  cost: 'some 20 ns a step',
  insteadOf: NAME,
  create: (watch) => new Kcsan(watch, 'kcsan-strict'),
}

export class Kcsan implements StepCheck {
  readonly reads = ALL_WORDS
  readonly writes = ALL_WORDS
  readonly #watch: Watch
  readonly #clocks: Clocks
  readonly #now: Int32Array
  readonly #cpus: number
  /**
   * By word, behind what Clocks keeps there: what it held before the last write; then by CPU and kind of access the
   * CPU's clock at its last one, shifted left by `#siteBits`, and the access's site.
   */
  readonly #words: Int32Array
  readonly #stride: number
  readonly #siteBits: number
  readonly #relaxed: Uint8Array
  readonly #name: string
  /** Of kcsan-strict. */
  readonly #strict: Dependencies | undefined

  constructor(watch: Watch, name: string) {
    const words = watch.memory.length
    this.#watch = watch
    this.#name = name
    this.#cpus = watch.cpus
    this.#clocks = new Clocks(watch.cpus, words, 1 + 4 * watch.cpus)
    this.#now = this.#clocks.now
    this.#words = this.#clocks.words
    this.#stride = this.#clocks.stride
    this.#siteBits = 32 - Math.clz32(watch.sites.all.length)
    this.#relaxed = watch.sites.of(NAME, RELAXED)
    this.#strict = name === NAME ? undefined : new Dependencies(watch, this.#clocks)
  }

  begin(): void {
    // Long before a clock no longer fits above a site.
    if (this.#clocks.begin() >= 1 << (30 - this.#siteBits)) {
      this.#clocks.restart()
      this.#clocks.begin()
    }
    this.#strict?.begin()
  }

  fence(context: number, fence: number): void {
    const cpu = this.#watch.cpuOf(context)
    if (fence !== FENCE_RMB) this.#clocks.fence(cpu)
    if (fence !== FENCE_WMB) this.#strict?.fence(cpu)
  }

  /** A marked read of the word. */
  #acquire(cpu: number, addr: number): void {
    this.#clocks.acquire(cpu, addr)
    this.#strict?.acquired(cpu)
  }

  /** A marked write of the word. */
  #publish(cpu: number, addr: number, join: boolean): void {
    this.#clocks.publish(cpu, addr, join, this.#strict === undefined ? this.#now : this.#strict.seen)
  }

  step({ context, kind, addr, a, b, old, result, site }: Step): void {
    const cpu = context < this.#cpus ? context : context - this.#cpus
    const clocks = this.#clocks
    switch (ACTIONS[kind]) {
      case LOAD:
        this.#access(cpu, addr, PLAIN_READ, old, site)
        this.#strict?.follow(cpu, addr, old)
        return
      case STORE:
        this.#access(cpu, addr, PLAIN_WRITE, old, site)
        return
      case MARKED_LOAD:
        if (this.#strict === undefined || kind !== Kind.ONCE_READ || this.#strict.relaxed(cpu, addr, old))
          this.#acquire(cpu, addr)
        this.#access(cpu, addr, MARKED_READ, old, site)
        return
      case MARKED_STORE:
        this.#access(cpu, addr, MARKED_WRITE, old, site)
        this.#publish(cpu, addr, false)
        return
      case RELEASE:
        this.#access(cpu, addr, MARKED_WRITE, old, site)
        clocks.fence(cpu)
        this.#publish(cpu, addr, false)
        return
      case COMPARE:
        if (old !== a) {
          this.#acquire(cpu, addr)
          this.#access(cpu, addr, MARKED_READ, old, site)
          return
        }
      // falls through
      case UPDATE:
        this.#acquire(cpu, addr)
        this.#access(cpu, addr, MARKED_WRITE, old, site)
        if (this.#relaxed[site] === 0) {
          clocks.fence(cpu)
          this.#strict?.fence(cpu)
        }
        this.#publish(cpu, addr, true)
        return
      case TRY:
        if (result === 0) {
          this.#access(cpu, addr, MARKED_READ, old, site)
          return
        }
      // falls through
      case LOCK:
        this.#acquire(cpu, addr)
        this.#access(cpu, addr, MARKED_WRITE, old, site)
        this.#publish(cpu, addr, true)
        return
      case RANGE: {
        const words = wordsOf(kind, a, b)
        if (kind === Kind.COPY) for (let i = 0; i < words; i++) this.#access(cpu, a + i, PLAIN_READ, 0, site)
        for (let i = 0; i < words; i++) this.#access(cpu, addr + i, PLAIN_WRITE, old, site)
        return
      }
      case USER:
        this.#userAccess(cpu, addr, kind, site)
    }
  }

  #access(cpu: number, addr: number, type: number, old: number, site: number): void {
    const cpus = this.#cpus
    const words = this.#words
    const bits = this.#siteBits
    const first = addr * this.#stride + cpus + 2
    const at = first + cpu * 4 + type
    const clock = this.#now[cpu * cpus + cpu]
    // The same access since the CPU's last release: whoever came between has looked at it.
    if (words[at] >> bits === clock) return
    words[at] = (clock << bits) | site
    const conflicts = CONFLICTS[type]
    const view = this.#strict === undefined ? this.#now : this.#strict.view(cpu, addr, type >= PLAIN_WRITE)
    for (let other = 0; other < cpus; other++) {
      if (other === cpu) continue
      const known = view[cpu * cpus + other]
      const theirs = first + other * 4
      if (words[theirs + 2] >> bits > known) this.#race(cpu, addr, type, other, PLAIN_WRITE, old, site)
      if (conflicts === 0b0100) continue
      if ((conflicts & 1) !== 0 && words[theirs] >> bits > known)
        this.#race(cpu, addr, type, other, PLAIN_READ, old, site)
      if ((conflicts & 2) !== 0 && words[theirs + 1] >> bits > known)
        this.#race(cpu, addr, type, other, MARKED_READ, old, site)
      if ((conflicts & 8) !== 0 && words[theirs + 3] >> bits > known)
        this.#race(cpu, addr, type, other, MARKED_WRITE, old, site)
    }
    if (type >= PLAIN_WRITE) words[first - 1] = old
  }

  /** A user program touches contents: what the kernel wrote there must have been published to this CPU. */
  #userAccess(cpu: number, addr: number, kind: number, site: number): void {
    const cpus = this.#cpus
    const first = addr * this.#stride + cpus + 2
    const view = this.#strict === undefined ? this.#now : this.#strict.view(cpu, addr, false)
    for (let other = 0; other < cpus; other++)
      if (
        other !== cpu &&
        this.#words[first + other * 4 + PLAIN_WRITE] >> this.#siteBits > view[cpu * cpus + other]
      )
        this.#race(cpu, addr, kind === Kind.USER_READ ? PLAIN_READ : PLAIN_WRITE, other, PLAIN_WRITE, 0, site)
  }

  #race(
    cpu: number,
    addr: number,
    type: number,
    other: number,
    otherType: number,
    old: number,
    site: number,
  ): never {
    const watch = this.#watch
    const first = addr * this.#stride + this.#cpus + 2
    const otherSite = this.#words[first + other * 4 + otherType] & ((1 << this.#siteBits) - 1)
    const name = (at: number): string => watch.sites.all[at]?.fn ?? `site ${at}`
    const names = [name(site), name(otherSite)].toSorted()
    const before = type >= PLAIN_WRITE ? old : this.#words[first - 1]
    const line = '='.repeat(66)
    const frames = watch
      .stack()
      .slice(1)
      .map((frame) => `\n ${frame}`)
    const who = (each: number): string => {
      const { s, memory } = watch
      const task = memory[s.PERCPU + each * s.PERCPU_WORDS + s.percpu$current]
      return `${task === 0 ? 'no task' : `task ${memory[task + s.task$pid]}`} on cpu ${each}`
    }
    throw new Violation(
      this.#name,
      `${line}\nBUG: KCSAN: data-race in ${names.join(' / ')}\n\n` +
        `${TEXTS[otherType]} to ${hex(addr)} of 4 bytes by ${who(other)}:\n ${watch.sites.where(otherSite)}\n\n` +
        `${TEXTS[type]} to ${hex(addr)} of 4 bytes by ${who(cpu)}:\n ${watch.sites.where(site)}${frames.join('')}\n\n` +
        `value changed: ${word(before)} -> ${word(watch.memory[addr])}\n\n` +
        `${watch.name(addr)}\n${line}`,
    )
  }
}

function word(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`
}
