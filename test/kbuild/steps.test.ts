import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ImageKind, type KernelImage, loadImage } from '../../src/kbuild/index.ts'
import { PRIMITIVES } from '../../src/kbuild/primitives.ts'
import { perform } from '../../src/step/effect.ts'
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
    return (
      `export function ${name}(${list}): number {\n  told(${kind}, ${p}, ${a}, ${b})\n  ` +
      `${BODIES[name] ?? 'return memory[p]'}\n}\n`
    )
  })
  return `import { memory, this_cpu, told } from './machine.ts'
${functions.join('')}
export function this_cpu_read(offset: number): number { return memory[${MEMORY} + this_cpu * 8 + offset] }
export function this_cpu_write(offset: number, value: number): void {
  memory[${MEMORY} + this_cpu * 8 + offset] = value
}
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

async function run(
  image: KernelImage,
  a: number,
  b: number,
  stop: (step: number) => boolean,
): Promise<Trail> {
  const memory = new Int32Array(new SharedArrayBuffer((MEMORY + PERCPU) * 4)).map(
    (_, index) => index * 7 - 50,
  )
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
    X: () => perform(memory, pending[0], pending[1], pending[2], pending[3], 0),
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
        expect({ gated, code: kernel.read('src/kernel/code.ts') }).toEqual({
          gated: native,
          code: expect.anything(),
        })
        expect(stepped).toEqual(native)
      }),
      { numRuns: 40, seed: 1, endOnFailure: true },
    )
    expect(accesses).toBeGreaterThan(1000)
  })
})

describe('an image with steps', () => {
  const CODE =
    'export function main(a: number, b: number): number {\n  return load(a) + stat[0] + this_cpu\n}\n'

  it('takes from boot() what it uses, and links nothing of the replaced modules', async () => {
    const image = await kernelOf(CODE).build([], { image: 'stepped' })
    const code = readFileSync(image.file, 'utf8')
    expect(code).toContain('const { S, X, stat, smp_processor_id } = boot$env')
    expect(code).toContain('return (S(1, a, 0, 0, 0) && (yield), X()) + stat[0] + smp_processor_id()')
    expect(image.functions.toSorted()).toEqual(['main', 'program', 'setup'])
  })

  it('has a hash of its own, its kind and its sites', async () => {
    const kernel = kernelOf(CODE)
    const images = await Promise.all(
      (['native', 'gated', 'stepped'] as const).map((image) => kernel.build([], { image })),
    )
    expect(new Set(images.map(({ hash }) => hash)).size).toBe(3)
    expect(images.map(({ image }) => image)).toEqual(['native', 'gated', 'stepped'])
    expect(images.map(({ sites }) => sites.length)).toEqual([0, 1, 1])
    expect(images[2].sites[0]).toEqual({
      fn: 'main',
      file: 'src/kernel/code.ts',
      line: 5,
      column: 10,
      primitive: 'load',
    })
    expect((await kernel.build([], { image: 'stepped' })).sites).toEqual(images[2].sites)
  })

  it('sets STEPPED, and is the same on hosts of every memory order', async () => {
    const kernel = kernelOf(CODE)
    kernel.write(
      'src/kernel/config.ts',
      `${kernel.read('src/kernel/config.ts')}export const STEPPED: number = 0\nexport const WEAK_MEMORY: number = 5\n`,
    )
    expect((await kernel.build([], { image: 'stepped' })).symbols).toMatchObject({
      STEPPED: 1,
      WEAK_MEMORY: 0,
    })
    expect((await kernel.build()).symbols.STEPPED).toBe(0)
  })

  it('makes generators of all that it exports', async () => {
    const image = await kernelOf(CODE).build([], { image: 'stepped' })
    const boot = (await loadImage(image)) as unknown as (env: unknown) => Record<string, () => unknown>
    const { setup } = boot({})
    expect(setup()).toHaveProperty('next')
  })
})

describe('an image with steps refuses', () => {
  async function refusal(code: string, name = 'src/kernel/code.ts'): Promise<string> {
    const kernel = kernelOf('export function main(a: number, b: number): number {\n  return 0\n}\n')
    kernel.write(name, code)
    kernel.write(
      'src/kernel/image.ts',
      `${kernel.read('src/kernel/image.ts')}export * from './${name.slice(11)}'\n`,
    )
    return kernel.build([], { image: 'stepped' }).then(
      () => 'nothing',
      (error: unknown) => (error as Error).message,
    )
  }

  it('memory that is reached past the primitives', async () => {
    const code =
      "import { memory } from './machine.ts'\nexport function peek(p: number): number {\n  return memory[p]\n}\n"
    expect(await refusal(code, 'src/kernel/arch/peek.ts')).toBe(
      'src/kernel/arch/peek.ts:3:10: an image with steps touches memory through the primitives of ' +
        'arch/access.ts and #atomic only.',
    )
  })

  it('a function of a replaced module that is no step', async () => {
    const kernel = kernelOf(
      "import { peek } from './arch/access.ts'\nexport function main(a: number): number {\n  return peek(a)\n}\n",
    )
    kernel.write('src/kernel/arch/access.ts', 'export function peek(p: number): number {\n  return p\n}\n')
    await expect(kernel.build([], { image: 'gated' })).rejects.toThrow(
      "src/kernel/code.ts:6:10: 'peek' is no step that the stepped machine knows",
    )
    expect((await kernel.build()).functions).toContain('peek')
  })

  it('a step in the default value of a parameter', async () => {
    const code =
      "import { load } from '#atomic'\nexport function peek(p: number = load(1)): number {\n  return p\n}\n"
    expect(await refusal(code, 'src/kernel/mm/peek.ts')).toMatch(
      /^src\/kernel\/mm\/peek\.ts:2:34: 'load' reaches memory/,
    )
  })

  it('the names of the announcement as those of locals and functions', async () => {
    expect(
      await refusal('export function peek(S: number): number {\n  return S\n}\n', 'src/kernel/mm/peek.ts'),
    ).toBe("src/kernel/mm/peek.ts:1:22: 'S' cannot be a local's name.")
    expect(await refusal('export function X(): void {}\n', 'src/kernel/mm/peek.ts')).toMatch(
      /'X' cannot be a function's name/,
    )
  })
})
