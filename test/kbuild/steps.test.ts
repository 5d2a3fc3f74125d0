import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ImageKind, type KernelImage, loadImage } from '../../src/kbuild/index.ts'
import { PRIMITIVES } from '../../src/kbuild/primitives.ts'
import { Kind } from '../../src/machine/stepped/kinds.ts'
import { type TinyKernel, tinyKernel } from './kernel.ts'
import { MEMORY, randomCode } from './random_code.ts'

/** Words of the per-CPU area behind the memory of the random code. */
const PERCPU = 64
const CPU = 3
/** Random code may call itself dry; both images stop at this many accesses. */
const MOST_STEPS = 5000

const BODIES: Record<string, string> = {
  store: 'memory[p] = a',
  atomic_fetch_add: 'return Atomics.add(memory, p, a)',
  atomic_fetch_and: 'return Atomics.and(memory, p, a)',
  atomic_fetch_or: 'return Atomics.or(memory, p, a)',
  xchg: 'return Atomics.exchange(memory, p, a)',
  cmpxchg: 'return Atomics.compareExchange(memory, p, a, b)',
}
for (const name of ['WRITE_ONCE', 'smp_store_release', 'atomic_store', 'user_word_store'])
  BODIES[name] = BODIES.store

/** The primitives as native functions that tell of each access. */
function accessLayer(): string {
  const parameters = (name: string): string[] => {
    if (name === 'cmpxchg') return ['p', 'a', 'b']
    return name in BODIES ? ['p', 'a'] : ['p']
  }
  const functions = [...PRIMITIVES].map(([name, kind]) => {
    const given = parameters(name)
    const [p, a = '0', b = '0'] = given
    const list = given.map((one) => `${one}: number`).join(', ')
    return `export function ${name}(${list}): number {\n  told(${kind}, ${p}, ${a}, ${b})\n  ${BODIES[name] ?? 'return memory[p]'}\n}\n`
  })
  return `import { memory, this_cpu, told } from './machine.ts'
${functions.join('')}
export function this_cpu_read(offset: number): number { return memory[${MEMORY} + this_cpu * 8 + offset] }
export function this_cpu_write(offset: number, value: number): void { memory[${MEMORY} + this_cpu * 8 + offset] = value }
`
}

const MACHINE = `export declare const memory: Int32Array
export declare const this_cpu: number
export declare const stat: Float64Array
export declare function told(kind: number, p: number, a: number, b: number): void
`

const IMPORTS = `import { LOCK_STAT } from '#config'
import { ${[...PRIMITIVES.keys()].join(', ')}, this_cpu_read, this_cpu_write } from '#atomic'
import { stat, this_cpu } from './arch/machine.ts'
`

function kernelOf(code: string): TinyKernel {
  return tinyKernel({
    'src/kernel/arch/machine.ts': MACHINE,
    'src/kernel/arch/access.ts': '',
    'src/kernel/arch/atomic.ts': accessLayer(),
    'src/kernel/code.ts': `${IMPORTS}${code}`,
    'src/kernel/image.ts': "export { setup, program } from '#scenario'\nexport { main } from './code.ts'\n",
    'scenarios/tiny.ts':
      'export function setup(): number {\n  return 0\n}\nexport function program(): number {\n  return 0\n}\n',
  })
}

/** What a run of an image leaves behind. */
interface Trail {
  readonly steps: number[][]
  readonly memory: number[]
  readonly stat: number[]
  readonly result: number | 'too long'
}

class TooLong extends Error {}

async function run(image: KernelImage, a: number, b: number, stop: (step: number) => boolean): Promise<Trail> {
  const memory = new Int32Array(new SharedArrayBuffer((MEMORY + PERCPU) * 4)).map((_, index) => index * 7 - 50)
  const stat = new Float64Array(8)
  const steps: number[][] = []
  let pending = [0, 0, 0, 0]
  const told = (...step: number[]): void => {
    if (steps.length === MOST_STEPS) throw new TooLong()
    steps.push(step.map((value) => value | 0))
  }
  const env = {
    memory,
    stat,
    this_cpu: CPU,
    told,
    S: (kind: number, p: number, x: number, y: number, site: number) => {
      expect(PRIMITIVES.get(image.sites[site].primitive)).toBe(kind)
      told(kind, p, x, y)
      pending = [kind, p, x | 0, y | 0]
      return stop(steps.length)
    },
    X: () => perform(memory, pending),
    this_cpu_read: (offset: number) => memory[MEMORY + CPU * 8 + offset],
    this_cpu_write: (offset: number, value: number) => void (memory[MEMORY + CPU * 8 + offset] = value),
    smp_processor_id: () => CPU,
  }
  const boot = (await loadImage(image)) as unknown as (env: unknown) => {
    main(a: number, b: number): number | Generator<unknown, number>
  }
  let result: number | 'too long'
  try {
    const value = boot(env).main(a, b)
    result = (typeof value === 'object' ? finish(value) : value) | 0
  } catch (error) {
    if (!(error instanceof TooLong)) throw error
    result = 'too long'
  }
  return { steps, memory: [...memory], stat: [...stat], result }
}

function finish(generator: Generator<unknown, number>): number {
  for (;;) {
    const { done, value } = generator.next()
    if (done) return value as number
  }
}

function perform(memory: Int32Array, [kind, p, a, b]: number[]): number {
  const old = memory[p]
  switch (kind) {
    case Kind.PLAIN_WRITE:
    case Kind.ONCE_WRITE:
    case Kind.RELEASE_WRITE:
    case Kind.ATOMIC_WRITE:
    case Kind.USER_WRITE:
    case Kind.XCHG:
      memory[p] = a
      break
    case Kind.FETCH_ADD:
      memory[p] = old + a
      break
    case Kind.FETCH_AND:
      memory[p] = old & a
      break
    case Kind.FETCH_OR:
      memory[p] = old | a
      break
    case Kind.CMPXCHG:
      if (old === a) memory[p] = b
      break
  }
  return old
}

describe('native, gated and stepped images', () => {
  it('make equal sequences of accesses and end with equal memory', async () => {
    let accesses = 0
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(0xffff)), fc.integer(), fc.nat(9), async (stream, a, b) => {
        const next = (): number => stream.next().value as number
        const kernel = kernelOf(randomCode({ below: (n) => next() % n }, 10))
        const [native, gated, stepped] = await Promise.all(
          (['native', 'gated', 'stepped'] as ImageKind[]).map(async (kind) =>
            run(await kernel.build([], { image: kind }), a, b, (step) => step % 3 === 0),
          ),
        )
        accesses += native.steps.length
        expect({ gated, code: kernel.read('src/kernel/code.ts') }).toEqual({ gated: native, code: expect.anything() })
        expect(stepped).toEqual(native)
      }),
      { numRuns: 60, seed: 1, endOnFailure: true },
    )
    expect(accesses).toBeGreaterThan(1000)
  })
})
