// What a CPU waits for, and who holds that: from the words that a CPU publishes while it waits (arch/wait.ts) and the
// lists of held locks. For the reports of a lockup and of a BUG, and for sampling. A queue lock's waiter waits for a
// node of its own, a semaphore's for a word in its per-CPU area: this file finds the lock behind them. Leaves out
// times.
import { hex, nameAddress, nameKind } from './names.ts'
import { type MachineView, perCpu } from './symbols.ts'

/** The word whose change CPU `cpu` waits for; 0 when it does not wait. */
export function waitingOn(view: MachineView, cpu: number): number {
  return view.memory[perCpu(view.symbols, cpu, 'percpu$waiting_on')]
}

/** Whether CPU `cpu` waits because there is no task to run. */
export function isIdle(view: MachineView, cpu: number): boolean {
  const { symbols } = view
  if (symbols['RQ'] === undefined || symbols['percpu$waiting_on'] === undefined) return false
  return waitingOn(view, cpu) === symbols['RQ'] + cpu * symbols['RQ_WORDS'] + symbols['rq$event']
}

/** Whether CPU `cpu` has halted on its wake word. */
export function isHalted(view: MachineView, cpu: number): boolean {
  return view.memory[perCpu(view.symbols, cpu, 'percpu$parked_on')] !== 0
}

/** Word addresses of the locks that CPU `cpu` holds, oldest first. */
export function heldLocks(view: MachineView, cpu: number): number[] {
  const { memory, symbols } = view
  const first = perCpu(symbols, cpu, 'percpu$held_locks')
  const count = memory[perCpu(symbols, cpu, 'percpu$held_count')]
  const valid = Math.max(0, Math.min(count, symbols['MAX_HELD_LOCKS'] ?? 14))
  return Array.from(memory.subarray(first, first + valid))
}

/** CPUs other than `cpu` that hold a lock in which the word `address` lies. */
export function holdersOf(view: MachineView, address: number, cpus: number, cpu: number): number[] {
  const name = nameAddress(view, address)
  const within = (lock: number): boolean =>
    lock === address || (lock <= address && address - lock < 16 && name.startsWith(nameAddress(view, lock)))
  return Array.from({ length: cpus }, (_, other) => other).filter(
    (other) => other !== cpu && heldLocks(view, other).some(within),
  )
}

/** The lock or word behind CPU `cpu`'s wait: an address, 0 when it does not wait. */
export function waitedFor(view: MachineView, cpu: number, cpus: number): number {
  let at = cpu
  for (let steps = 0; steps < cpus; steps++) {
    const address = waitingOn(view, at)
    const node = nodeOf(view, at, address)
    if (node !== undefined) {
      const lock = lockOfNode(view, node)
      if (lock !== 0) return lock
      const ahead = cpuAhead(view, node, cpus)
      if (ahead === undefined || ahead === at) return address
      at = ahead
      continue
    }
    if (isSleepers(view, at, address)) return queueOf(view, at) || address
    return address
  }
  return waitingOn(view, cpu)
}

/** CPUs that have not taken the interrupt of CPU `cpu` yet. */
function interruptedBy(view: MachineView, cpu: number, cpus: number): number[] {
  return Array.from({ length: cpus }, (_, other) => other).filter((other) => {
    const pending = perCpu(view.symbols, other, 'percpu$irq_pending') + (cpu >> 5)
    return (view.memory[pending] & (1 << (cpu & 31))) !== 0
  })
}

/** What a CPU waits for that has no task. */
export const IDLE = 'a task to run (idle)'

/** What CPU `cpu` waits for, in words; undefined when it does not wait. */
export function describeWait(view: MachineView, cpu: number, cpus: number): string | undefined {
  const address = waitedFor(view, cpu, cpus)
  if (address === 0) return undefined
  const manner = waitManner(view, cpu)
  if (manner === 'idle') return IDLE
  if (manner === 'flush') {
    const late = interruptedBy(view, cpu, cpus)
    const who = late.length === 0 ? '' : ` from CPU ${late.join(', CPU ')}`
    return `the acknowledgement of its TLB flush${who}`
  }
  const holders = holdersOf(view, address, cpus, cpu)
  const own = heldLocks(view, cpu).includes(address) ? 'held by itself' : 'held by no CPU'
  const who = holders.length === 0 ? own : `held by CPU ${holders.join(', CPU ')}`
  return `${nameAddress(view, address)} (word ${hex(address)}), ${who}`
}

/**
 * How a CPU waits: for a task, for acknowledgements of a TLB flush, asleep in a semaphore or queue, or for a spinlock.
 */
export type WaitManner = 'idle' | 'flush' | 'asleep' | 'spinlock'

/** How CPU `cpu` waits; undefined when it runs. */
export function waitManner(view: MachineView, cpu: number): WaitManner | undefined {
  const address = waitingOn(view, cpu)
  if (address === 0) return undefined
  if (isIdle(view, cpu)) return 'idle'
  const field = (name: string): boolean =>
    view.symbols[name] !== undefined && address === perCpu(view.symbols, cpu, name)
  if (field('percpu$flush_acks')) return 'flush'
  return isSleepers(view, cpu, address) ? 'asleep' : 'spinlock'
}

/** Whether CPU `cpu` sleeps on the word: its own, in a queue or for a semaphore. */
function isSleepers(view: MachineView, cpu: number, address: number): boolean {
  return ['percpu$waiter_granted', 'percpu$cpu_state'].some(
    (name) => view.symbols[name] !== undefined && address === perCpu(view.symbols, cpu, name),
  )
}

/** What CPU `cpu` waits for without saying which object: "mm mmap_lock"; undefined when it runs or idles. */
export function waitKind(view: MachineView, cpu: number, cpus: number): string | undefined {
  const manner = waitManner(view, cpu)
  if (manner === undefined || manner === 'idle') return undefined
  if (manner === 'flush') return 'TLB flush'
  const kind = nameKind(view, waitedFor(view, cpu, cpus))
  return kind.startsWith('CPU ') ? (manner === 'asleep' ? 'semaphore or queue' : 'spinlock') : kind
}

/** Address of the queue-lock node of CPU `cpu` in which `address` lies. */
function nodeOf(view: MachineView, cpu: number, address: number): number | undefined {
  const { symbols } = view
  if (symbols['percpu$qnodes'] === undefined) return undefined
  const first = perCpu(symbols, cpu, 'percpu$qnodes')
  const index = Math.floor((address - first) / symbols['QNODE_WORDS'])
  return index >= 0 && index < symbols['QNODES'] ? first + index * symbols['QNODE_WORDS'] : undefined
}

function lockOfNode(view: MachineView, node: number): number {
  const field = view.symbols['mcs_spinlock$lock']
  return field === undefined ? 0 : view.memory[node + field]
}

/** The CPU whose node is in front of `node` in its queue. */
function cpuAhead(view: MachineView, node: number, cpus: number): number | undefined {
  const { memory, symbols } = view
  const next = symbols['mcs_spinlock$next']
  if (next === undefined) return undefined
  for (let cpu = 0; cpu < cpus; cpu++) {
    const first = perCpu(symbols, cpu, 'percpu$qnodes')
    for (let index = 0; index < symbols['QNODES']; index++)
      if (memory[first + index * symbols['QNODE_WORDS'] + next] === node) return cpu
  }
  return undefined
}

/** Places of semaphores: first object, words of one, number of them, offset of the semaphore. */
const SEMAPHORES = [
  ['MMS', 'MM_WORDS', 'NR_MMS', 'mm$mmap_lock'],
  ['VMAS', 'VMA_WORDS', 'NR_VMAS', 'vma$vm_lock'],
  ['ANON_VMAS', 'ANON_VMA_WORDS', 'NR_ANON_VMAS', 'anon_vma$rwsem'],
  ['ADDRESS_SPACES', 'ADDRESS_SPACE_WORDS', 'NR_ADDRESS_SPACES', 'address_space$i_mmap_rwsem'],
] as const

/** The semaphore or wait queue in whose list of sleepers CPU `cpu` is; 0 if none is found. */
function queueOf(view: MachineView, cpu: number): number {
  const { symbols } = view
  for (const [base, words, count, offset] of SEMAPHORES)
    // Without VMA_LOCK a VMA ends before its lock.
    for (let index = 0; symbols[offset] < symbols[words] && index < (symbols[count] ?? 0); index++) {
      const semaphore = symbols[base] + index * symbols[words] + symbols[offset]
      if (isQueued(view, semaphore + symbols['rwsem$wait_head'], cpu)) return semaphore
    }
  for (let index = 0; index < (symbols['PAGE_WAIT_TABLE_SIZE'] ?? 0); index++) {
    const queue = symbols['PAGE_WAIT'] + index * symbols['WAIT_QUEUE_HEAD_WORDS']
    if (isQueued(view, queue + symbols['wait_queue_head$head'], cpu)) return queue
  }
  return 0
}

function isQueued(view: MachineView, head: number, cpu: number): boolean {
  const { memory, symbols } = view
  let next = memory[head]
  for (let steps = 0; next > 0 && next <= (symbols['NR_CPUS'] ?? 0) && steps < 64; steps++) {
    if (next === cpu + 1) return true
    next = memory[perCpu(symbols, next - 1, 'percpu$waiter_next')]
  }
  return false
}
