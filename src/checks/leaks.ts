// Q11: everything that is allocated can be reached, and by one way only where only one may be.
import { type Check, Findings } from './check.ts'
import { FRAME_ALLOCATED } from './free_lists.ts'
import { chainsOf } from './rmap.ts'
import { hex } from '../inspect/names.ts'
import { count, type RestingMachine } from './resting_machine.ts'

export const leaks: Check = {
  id: 'Q11',
  name: 'leaks',
  description:
    'Every allocated page, page table and object is reachable, every page table from one entry; ' +
    'after teardown all is free.',
  run(view) {
    const found = new Findings()
    for (const problem of [...view.mappings.problems, ...view.pageCache.problems]) found.add(() => problem)
    for (const cache of Object.values(view.caches))
      for (const problem of cache.problems) found.add(() => problem)
    pages(view, found)
    tables(view, found)
    tasks(view, found)
    mms(view, found)
    anonVmas(view, found)
    objects(view, found)
    charges(view, found)
    if (view.stage === 'torn-down') tornDown(view, found)
    return found.result()
  },
}

function pages(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  const { ptes, parents } = view.mappings
  const zero = view.pfn(memory[s.machine$zero_page])
  const { pageCache, swap } = view
  for (let pfn = 0; pfn < s.NR_PAGES; pfn++) {
    if (view.free.state[pfn] !== FRAME_ALLOCATED || pfn === zero) continue
    if (ptes[pfn] > 0 || parents[pfn] > 0 || pageCache.refs[pfn] > 0) continue
    if (swap.refs[pfn] === 0 && swap.continuation[pfn] === 0) heldByNobody(view, pfn, found)
  }
}

/** A page that is not free, and that nothing leads to: it may be reserved, or the tail of a compound page. */
function heldByNobody(view: RestingMachine, pfn: number, found: Findings): void {
  const { memory, symbols: s } = view
  const page = view.page(pfn)
  const flags = memory[page + s.page$flags]
  const tail = (memory[page + s.page$compound_head] & 1) !== 0
  if ((flags & s.PG_reserved) !== 0 || tail) return
  const what =
    (flags & s.PG_table) !== 0 ? 'a page table that no entry leads to' : 'neither mapped nor in a cache'
  found.add(() => `page ${hex(pfn)} is not free and ${what}: _refcount ${memory[page + s.page$_refcount]}`)
}

/** Parents of tables. */
function tables(view: RestingMachine, found: Findings): void {
  const { parents } = view.mappings
  for (let pfn = 0; pfn < view.symbols.NR_PAGES; pfn++)
    if (parents[pfn] > 1)
      found.add(() => `page ${hex(pfn)}, a page table, is reached from ${parents[pfn]} entries, expected 1`)
}

/** Tasks: as many as the machine counts, those that can run on the queue, once. */
function tasks(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  const cache = view.caches.task_struct
  const all = cache.inUse()
  // A task that has done its work stays, for whoever looks at the machine, but counts no more; nor does an idle kernel
  // thread.
  const uncounted = [s.TASK_STOPPED, s.TASK_IDLE]
  const counted = all.filter((task) => !uncounted.includes(memory[task + s.task$__state])).length
  if (memory[s.machine$nr_tasks] !== counted)
    found.add(
      () => `nr_tasks ${memory[s.machine$nr_tasks]}, expected ${counted}, as many task_structs as are in use`,
    )
  const queued = new Set<number>()
  for (let cpu = 0; cpu < s.NR_CPUS; cpu++) {
    const rq = s.RQ + cpu * s.RQ_WORDS
    const before = queued.size
    for (let task = memory[rq + s.rq$head]; task !== 0; task = memory[task + s.task$run_next]) {
      if (!cache.isInUse(task) || queued.has(task)) {
        found.add(
          () =>
            `run queue ${cpu} leads to ${hex(task)}, ` +
            `${queued.has(task) ? 'which is queued before' : 'which is no task in use'}`,
        )
        return
      }
      queued.add(task)
    }
    const length = queued.size - before
    if (memory[rq + s.rq$nr_running] !== length)
      found.add(
        () =>
          `run queue ${cpu}: nr_running ${memory[rq + s.rq$nr_running]}, expected ${length}, as on its list`,
      )
  }
  const onCpu = new Set<number>()
  for (let cpu = 0; cpu < s.NR_CPUS; cpu++)
    onCpu.add(memory[s.PERCPU + cpu * s.PERCPU_WORDS + s.percpu$current])
  for (const task of all)
    if (memory[task + s.task$__state] === s.TASK_RUNNING && !queued.has(task) && !onCpu.has(task))
      found.add(() => `task ${memory[task + s.task$pid]} can run and is on no queue`)
}

/** mm_structs: each has as many users as tasks have it; their VMAs are in order and each belongs to one mm. */
function mms(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  const users = new Map<number, number>()
  for (const task of view.caches.task_struct.inUse()) {
    const mm = memory[task + s.task$mm]
    if (mm !== 0 && !view.caches.mm_struct.isInUse(mm))
      found.add(() => `task ${memory[task + s.task$pid]}: mm ${hex(mm)} is no mm in use`)
    users.set(mm, (users.get(mm) ?? 0) + 1)
  }
  const init = memory[s.machine$init_mm]
  const reached = new Uint8Array(view.caches.vm_area_struct.count)
  for (const mm of view.mms) {
    const expected = (users.get(mm.address) ?? 0) + (mm.address === init ? 1 : 0)
    const counted = memory[mm.address + s.mm$mm_users]
    if (counted !== expected)
      found.add(() => `mm ${mm.id}: mm_users ${counted}, expected ${expected}, as many tasks as have it`)
    vmasOf(view, mm, reached, found)
  }
  for (const vma of view.caches.vm_area_struct.inUse())
    if (reached[view.caches.vm_area_struct.index(vma)] === 0)
      found.add(
        () =>
          `vm_area_struct ${view.caches.vm_area_struct.index(vma)} ` +
          `(${hex(memory[vma + s.vma$vm_start])} to ${hex(memory[vma + s.vma$vm_end])}) is in use ` +
          'and in no mm',
      )
}

function vmasOf(
  view: RestingMachine,
  mm: RestingMachine['mms'][number],
  reached: Uint8Array,
  found: Findings,
): void {
  const { memory, symbols: s } = view
  const counted = memory[mm.address + s.mm$map_count]
  if (counted !== mm.vmas.length)
    found.add(() => `mm ${mm.id}: of the first ${counted} VMAs ${mm.vmas.length} are in use, expected all`)
  let end = 0
  for (const vma of mm.vmas) {
    reached[view.caches.vm_area_struct.index(vma.address)]++
    const name = `mm ${mm.id}, VMA of ${hex(vma.start)} to ${hex(vma.end)}`
    if (vma.start < end || vma.end <= vma.start) found.add(() => `${name}: not in order after ${hex(end)}`)
    if (memory[vma.address + s.vma$vm_mm] !== mm.address)
      found.add(() => `${name}: vm_mm ${hex(memory[vma.address + s.vma$vm_mm])}, expected ${hex(mm.address)}`)
    end = vma.end
  }
}

/** anon_vmas and chains: reached from VMAs; an anon_vma also as the root of one that is. */
function anonVmas(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s, caches } = view
  const chains = new Set<number>()
  const reached = new Set<number>()
  for (const mm of view.mms)
    for (const vma of mm.vmas)
      for (const avc of chainsOf(view, vma.address)) {
        if (memory[avc + s.anon_vma_chain$vma] !== vma.address)
          found.add(
            () =>
              `anon_vma_chain ${caches.anon_vma_chain.index(avc)}: vma ` +
              `${hex(memory[avc + s.anon_vma_chain$vma])}, expected ${hex(vma.address)}`,
          )
        chains.add(avc)
        const anonVma = memory[avc + s.anon_vma_chain$anon_vma]
        reached.add(anonVma)
        if (caches.anon_vma.isInUse(anonVma)) reached.add(memory[anonVma + s.anon_vma$root])
      }
  for (const avc of caches.anon_vma_chain.inUse())
    if (!chains.has(avc))
      found.add(() => `anon_vma_chain ${caches.anon_vma_chain.index(avc)} is in use and on no VMA's list`)
  const waiting = freeSoon(view)
  for (const anonVma of caches.anon_vma.inUse())
    if (!reached.has(anonVma) && !waiting.has(anonVma))
      found.add(
        () =>
          `anon_vma ${caches.anon_vma.index(anonVma)} is in use and no chain leads to it: refcount ` +
          `${memory[anonVma + s.anon_vma$refcount]}`,
      )
}

/**
 * Objects that a CPU will free after a grace period (rcu.ts), and the free anon_vma that it keeps
 * (mm/rmap/anon_vma.ts).
 */
function freeSoon(view: RestingMachine): Set<number> {
  const { memory, symbols: s } = view
  const waiting = new Set<number>()
  const heads = [s.machine$rcu_orphans]
  for (let cpu = 0; cpu < s.NR_CPUS; cpu++) {
    const area = s.PERCPU + cpu * s.PERCPU_WORDS
    heads.push(area + s.percpu$rcu_list, area + s.percpu$rcu_next_list)
    const kept = memory[area + s.percpu$anon_vma_slab]
    if (kept !== 0) waiting.add(kept)
  }
  for (const head of heads)
    for (let object = memory[head]; object !== 0 && !waiting.has(object);) {
      waiting.add(object)
      const isAnonVma = object >= s.ANON_VMAS && object < s.ANON_VMA_CHAINS
      object = memory[object + (isAnonVma ? s.anon_vma$rcu_next : s.rcu_head$next)]
    }
  return waiting
}

/** Objects: referenced at least by the VMAs that map them; their xa_nodes are reached. */
function objects(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s, caches } = view
  const mapped = new Map<number, number>()
  for (const mm of view.mms)
    for (const vma of mm.vmas)
      if (vma.mapping !== 0) mapped.set(vma.mapping, (mapped.get(vma.mapping) ?? 0) + 1)
  for (const [mapping, vmas] of mapped)
    if (!caches.address_space.isInUse(mapping))
      found.add(() => `${hex(mapping)}, mapped by ${count(vmas, 'VMA')}, is no address_space in use`)
  for (const mapping of caches.address_space.inUse()) {
    const vmas = mapped.get(mapping) ?? 0
    const references = memory[mapping + s.address_space$i_count]
    // Whoever created it may hold it too.
    if (references < Math.max(vmas, 1))
      found.add(
        () =>
          `address_space ${caches.address_space.index(mapping)}: i_count ${references}, expected at ` +
          `least ${Math.max(vmas, 1)}: ${count(vmas, 'VMA')}`,
      )
  }
  for (const node of caches.xa_node.inUse()) {
    const i = caches.xa_node.index(node)
    if (view.pageCache.nodes[i] === 0) found.add(() => `xa_node ${i} is in use and in no object`)
  }
}

/** Groups: each counts the pages that are charged to it. */
function charges(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s } = view
  const charged = new Map<number, number>()
  for (let pfn = 0; s.NR_MEM_CGROUPS > 0 && pfn < s.NR_PAGES; pfn++) {
    const page = view.page(pfn)
    if (view.free.state[pfn] !== FRAME_ALLOCATED || (memory[page + s.page$flags] & s.PG_head) !== 0) continue
    const memcg = memory[page + s.page$memcg_data]
    if (memcg !== 0) charged.set(memcg, (charged.get(memcg) ?? 0) + 1)
  }
  for (let i = 0; i < s.NR_MEM_CGROUPS; i++) {
    const memcg = s.MEM_CGROUPS + i * s.MEM_CGROUP_WORDS
    const usage = memory[memcg + s.mem_cgroup$usage]
    const pages = charged.get(memcg) ?? 0
    if (usage !== pages)
      found.add(
        () => `mem_cgroup ${i}: usage ${usage}, expected ${pages}, as many pages as are charged to it`,
      )
  }
}

function tornDown(view: RestingMachine, found: Findings): void {
  const { memory, symbols: s, caches } = view
  const init = memory[s.machine$init_mm]
  for (const cache of Object.values(caches)) {
    const left = cache.inUse().filter((object) => object !== init)
    if (left.length > 0)
      found.add(
        () =>
          `${count(left.length, cache.name)} left after teardown, the first is number ${cache.index(left[0])}`,
      )
  }
  const { buddyPages, pcpPages } = view.free
  let managed = 0
  for (let nid = 0; nid < s.NODES; nid++) managed += memory[view.zone(nid) + s.zone$managed_pages]
  if (buddyPages + pcpPages !== managed)
    found.add(() => `${managed - buddyPages - pcpPages} of ${managed} pages are not free after teardown`)
}
