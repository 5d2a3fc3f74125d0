// A machine of one CPU on this thread, whose kernel functions tests call directly. What it allocated must be free in
// the end.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RestingMachine } from '../../src/checks/resting_machine.ts'
import { configConstants, parseConfig, withDefaults } from '../../src/kbuild/config.ts'
import { chosenModules, loadImage } from '../../src/kbuild/index.ts'
import { link } from '../../src/kbuild/link.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

// oxlint-disable-next-line typescript/no-explicit-any -- the fixture's exports are not typed
export type Kernel = Record<string, any>

/** One VMA as a test looks at it. */
export interface Area {
  readonly start: number
  readonly end: number
  readonly flags: number
  readonly pgoff: number
  readonly anonVma: number
  readonly chains: number
}

/** What the machine has in use, to be compared before and after. */
export interface Usage {
  readonly freePages: number
  readonly tables: number
  readonly objects: readonly number[]
}

export interface OneCpu {
  readonly kernel: Kernel
  readonly memory: Int32Array
  /** What the kernel has counted: events by their numbers. */
  readonly stat: Float64Array
  readonly symbols: Readonly<Record<string, number>>
  /** The current task's mm. */
  mm(): number
  areas(mm?: number): Area[]
  usage(): Usage
  /** Lets the n-th allocation from now on fail; 0: none. */
  failAlloc(n: number): void
  /** Whether that allocation has come. */
  failed(): boolean
  /** rss counters of the mm with the current task's deltas: file, anonymous, swap, shmem. */
  rss(): number[]
}

interface Linked {
  readonly symbols: Readonly<Record<string, number>>
  boot(env: object): Kernel
}

const images = new Map<string, Promise<Linked>>()

/** Links the image of `settings`, once. */
async function linkImage(settings: readonly string[]): Promise<Linked> {
  const config = parseConfig(withDefaults(settings, ['MEMORY=16M', 'NR_CPUS=2', 'FAIL_ALLOC=1000000']))
  const chosen = chosenModules(config, root, join(root, 'test', 'kernel', 'fixtures', 'idle.ts'))
  const linked = link({
    entry: join(root, 'test', 'kernel', 'fixtures', 'entry.ts'),
    resolver: {
      names: [...chosen.keys()],
      chosen: (specifier) => chosen.get(specifier),
      isMachine: (source) => source.path.endsWith('machine.ts'),
      read: (path) => ({ path, id: relative(root, path), text: readFileSync(path, 'utf8'), patched: false }),
    },
    constants: configConstants(config),
    isConfig: (source) => source.path === chosen.get('#config'),
    permissions: () => ({ atomics: true, memory: true, machine: true }),
  })
  const file = join(mkdtempSync(join(tmpdir(), 'mmtorture-kernel-')), 'kernel.mjs')
  const { code } = linked.emit('kernel.mjs', (source) => relative(dirname(file), source.path))
  writeFileSync(
    file,
    code
      .slice(0, code.lastIndexOf('//# sourceMappingURL'))
      .replaceAll(/= memory\?\.(\w+)$/gm, '= memory.$1.bind(memory)'),
  )
  const boot = (await loadImage({ file })) as unknown as Linked['boot']
  return { symbols: linked.symbols, boot }
}

/** Boots a machine with the configuration `settings` (KEY=VALUE) and a first task. */
export async function oneCpu(...settings: string[]): Promise<OneCpu> {
  const key = settings.join(' ')
  const linked = images.get(key) ?? linkImage(settings)
  images.set(key, linked)
  const { symbols: s, boot } = await linked
  const memory = new Int32Array(new SharedArrayBuffer(4 * (s.MEMORY_WORDS + 4096)))
  memory[s.machine$nr_cpus] = 1
  memory[s.machine$spin_budget] = 100
  const stat = new Float64Array(s.STAT_WORDS)
  const kernel = boot({
    memory,
    wasm: null,
    this_cpu: 0,
    stat,
    oracle: new Int32Array(new SharedArrayBuffer(4 * (s.ORACLE_WORDS ?? 1024))),
    clock: () => Math.round(performance.now() * 1e6),
    machine_bug: (kind: number, a: number, b: number) => {
      throw new Error(`BUG ${kind} ${a} ${b}`)
    },
  })
  kernel.start_kernel()
  kernel.irq_exit_parked()
  if (kernel.create_init()) throw new Error('no memory for the first task')
  const mm = (): number => memory[kernel.current() + s.task$mm]
  kernel.switch_mm(mm())

  const chainsOf = (vma: number): number => {
    let n = 0
    let avc = memory[vma + s.vma$anon_vma_chain]
    for (; avc !== 0; avc = memory[avc + s.anon_vma_chain$same_vma_next]) n++
    return n
  }
  return {
    kernel,
    memory,
    stat,
    symbols: s,
    mm,
    areas(of = mm()) {
      return Array.from({ length: memory[of + s.mm$map_count] }, (_, i) => {
        const vma = memory[of + s.mm$mm_mt + i]
        return {
          start: memory[vma + s.vma$vm_start],
          end: memory[vma + s.vma$vm_end],
          flags: memory[vma + s.vma$vm_flags] & (s.VM_ACCESS_FLAGS | s.VM_SHARED),
          pgoff: memory[vma + s.vma$vm_pgoff],
          anonVma: memory[vma + s.vma$anon_vma],
          chains: chainsOf(vma),
        }
      })
    },
    usage() {
      // The only CPU comes and goes: a grace period passes.
      kernel.rcu_cpu_starting()
      kernel.rcu_report_dead()
      kernel.drain_local_pages()
      return {
        freePages: kernel.nr_free_pages(),
        tables: Array.from({ length: s.NR_PAGES }, (_, pfn) => s.MEMMAP + pfn * s.PAGE_WORDS).filter(
          (page) => (memory[page + s.page$flags] & s.PG_table) !== 0,
        ).length,
        objects: Object.values(new RestingMachine({ memory, symbols: s }, 'running').caches).map(
          (cache) => cache.inUse().length,
        ),
      }
    },
    failAlloc(n) {
      memory[s.machine$nr_allocs] = 0
      memory[s.machine$fail_alloc] = n === 0 ? -1 : n
    },
    failed: () => memory[s.machine$nr_allocs] >= memory[s.machine$fail_alloc],
    rss: () =>
      Array.from(
        { length: s.NR_MM_COUNTERS },
        (_, i) => memory[mm() + s.mm$rss_stat + i] + memory[kernel.current() + s.task$rss_stat + i],
      ),
  }
}
