import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ImageKind, type KernelImage, kbuild, loadImage, parseConfig } from '../../src/kbuild/index.ts'
import { perform, waits } from '../../src/step/effect.ts'

const SETTINGS = ['SPINLOCK=abstract', 'MEMORY=2M', 'NR_CPUS=2', 'PTRS_PER_TABLE=16']
const TURNS = 40

/**
 * Fields of the per-CPU area that only one kind of image writes: whether a CPU is in an instruction, what it waits for.
 */
const OWN = ['percpu$instruction', 'percpu$waiting_on', 'percpu$barrier']

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmtorture-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Trail {
  readonly steps: number[]
  readonly memory: Int32Array
  readonly stat: Float64Array
  readonly sites: Set<number>
}

type Entry = () => number | void | Generator<unknown, number | void>

/** Boots an image on one CPU, sets the scenario up and lets every task run for its turns. */
async function run(image: KernelImage): Promise<Trail> {
  const { symbols } = image
  const memory = new Int32Array(new SharedArrayBuffer(symbols.MEMORY_WORDS * 4))
  const stat = new Float64Array(symbols.STAT_WORDS)
  const steps: number[] = []
  const sites = new Set<number>()
  let pending = [0, 0, 0, 0]
  Object.assign(memory, { [symbols.machine$nr_cpus]: 1, [symbols.machine$seed]: 7 })
  Object.assign(memory, { [symbols.machine$turns]: TURNS, [symbols.machine$pages]: 12 })
  const own = symbols.PERCPU
  const env = {
    memory,
    wasm: null,
    this_cpu: 0,
    stat,
    oracle: new Int32Array(symbols.ORACLE_WORDS),
    clock: () => 0,
    machine_bug: (kind: number) => {
      throw new Error(`BUG ${kind}`)
    },
    S: (kind: number, p: number, a: number, b: number, site: number) => {
      steps.push(kind, p, a, b)
      sites.add(site)
      pending = [kind, p, a, b]
      return steps.length % 3 === 0
    },
    X: () => {
      const [kind, p, a, b] = pending
      expect(waits(kind, memory[p], a)).toBe(false)
      return perform(memory, kind, p, a, b, 0)
    },
    this_cpu_read: (offset: number) => memory[own + offset],
    this_cpu_write: (offset: number, value: number) => void (memory[own + offset] = value),
    this_cpu_add: (offset: number, value: number) => void (memory[own + offset] += value),
    this_cpu_ptr: (offset: number) => own + offset,
    per_cpu_ptr: (offset: number, cpu: number) => own + cpu * symbols.PERCPU_WORDS + offset,
    smp_processor_id: () => 0,
    private_load: (p: number) => memory[p],
    private_store: (p: number, value: number) => void (memory[p] = value),
    observe_contended: () => false,
    arch_random_below: (_pid: number, x: number, bound: number) => (x >>> 0) % bound,
    ...Object.fromEntries(NOTHING.map((name) => [name, () => {}])),
  }
  const boot = (await loadImage(image)) as unknown as (env: unknown) => Record<string, Entry>
  const kernel = boot(env)
  for (const name of ['start_kernel', 'scenario_setup', 'cpu_run', 'exit_all_tasks']) {
    const value = kernel[name]()
    const result = typeof value === 'object' ? finish(value) : value
    expect(result ?? 0).toBe(0)
  }
  for (const name of OWN) if (name in symbols) memory[own + symbols[name]] = 0
  return { steps, memory, stat, sites }
}

const NOTHING = [
  'smp_mb',
  'smp_wmb',
  'smp_rmb',
  'check_panic',
  'smp_wake',
  'smp_wake_one',
  'kick_cpu',
  'observe_table_locked',
  'observe_table_unlocked',
  'observe_table_read_done',
  'observe_lock_init',
  'observe_lock_acquire',
  'observe_lock_release',
  'observe_lock_wanted',
  'observe_object_alloc',
  'observe_object_free',
  'observe_exception',
  'observe_turn',
  'observe_woken',
  'observe_wakes',
  'ndelay',
  'ktime_get_ns',
]

function finish<T>(generator: Generator<unknown, T>): T {
  for (;;) {
    const result = generator.next()
    if (result.done) return result.value
  }
}

describe('the kernel on one CPU', () => {
  it.each(['cow-storm', 'shmem'])('does the same in native, gated and stepped images: %s', async (name) => {
    const scenario = fileURLToPath(new URL(`../../scenarios/${name}.ts`, import.meta.url))
    const config = parseConfig(SETTINGS)
    const build = (image: ImageKind): Promise<KernelImage> =>
      kbuild(config, { scenario, image, folders: [folder] })
    const native = await run(await build('native'))
    const gated = await run(await build('gated'))
    const stepped = await run(await build('stepped'))
    expect(native.steps).toHaveLength(0)
    expect(gated.steps.length).toBeGreaterThan(20_000)
    expect(stepped.steps.length).toBe(gated.steps.length)
    expect(differences(stepped.steps, gated.steps)).toEqual([])
    expect(stepped.sites).toEqual(gated.sites)
    expect(differences(stepped.memory, gated.memory)).toEqual([])
    expect(differences(gated.memory, native.memory)).toEqual([])
    expect(differences(gated.stat, native.stat)).toEqual([])
  })
})

describe('PARAVIRT_SPINLOCKS=y', () => {
  it("links the kernel's own waiting, which halts and wakes in steps", async () => {
    const scenario = fileURLToPath(new URL('../../scenarios/same-page.ts', import.meta.url))
    const build = (value: string): Promise<KernelImage> =>
      kbuild(parseConfig([`PARAVIRT_SPINLOCKS=${value}`]), { scenario, image: 'gated', folders: [folder] })
    const primitives = async (value: string): Promise<Set<string>> =>
      new Set((await build(value)).sites.map((site) => site.primitive))
    const own = await primitives('y')
    expect([own.has('cpu_wait'), own.has('cpu_notify'), own.has('smp_cond_load')]).toEqual([
      true,
      true,
      false,
    ])
    const abstract = await primitives('n')
    expect([abstract.has('cpu_wait'), abstract.has('smp_cond_load')]).toEqual([false, true])
  })
})

/** The first places in which two lists of equal length differ. */
function differences(a: ArrayLike<number>, b: ArrayLike<number>): string[] {
  const found: string[] = []
  for (let i = 0; i < a.length && found.length < 10; i++)
    if (a[i] !== b[i]) found.push(`${i}: ${a[i]} ${b[i]}`)
  return found
}
