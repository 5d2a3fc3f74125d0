import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/base/errors.ts'
import { tinyKernel } from './kernel.ts'

/** The message with which a module src/kernel/mm/bad.ts is refused. */
async function refusal(code: string, name = 'src/kernel/mm/bad.ts'): Promise<string> {
  const kernel = tinyKernel()
  kernel.write(name, code)
  kernel.write(
    'src/kernel/image.ts',
    `${kernel.read('src/kernel/image.ts')}export * from './${name.slice('src/kernel/'.length)}'\n`,
  )
  const error = await kernel.build().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(UsageError)
  return (error as UsageError).message
}

const inFunction: [what: string, statement: string, sentence: RegExp][] = [
  ['a nested function', 'function g() {}', /no nested functions/],
  ['an arrow function', 'const g = () => 1', /no closures/],
  ['a function expression', 'const g = function () {}', /no nested functions/],
  ['a class', 'class A {}', /no classes/],
  ['try', 'try { f(1) } catch {}', /no try/],
  ['throw', 'throw 1', /no throw/],
  ['new', 'const a = new Int32Array(1)', /no `new`/],
  ['var', 'var a = 1', /no 'var'/],
  ['a string', "const a = 'x'", /no strings/],
  ['a template', 'const a = `x`', /no strings/],
  ['a regular expression', 'const a = /x/', /no regular expressions/],
  ['a BigInt', 'const a = 1n', /no BigInt/],
  ['null', 'const a = null', /no null/],
  ['an object', 'const a = {}', /no objects/],
  ['an array', 'const a = [1]', /no arrays/],
  ['destructuring', 'const [a] = x', /no destructuring/],
  ['for-in', 'for (const a in x) {}', /no for-in/],
  ['for-of', 'for (const a of x) {}', /no for-of/],
  ['optional chaining', 'f?.(1)', /no optional chaining/],
  ['spread', 'f(...x)', /no spread/],
  ['await', 'await f(1)', /no async|await/i],
  ['a power', 'const a = x ** 2', /no `\*\*`/],
  ['a power assignment', 'let a = 2\n a **= 2', /no `\*\*`/],
  ['typeof', 'const a = typeof x', /no `typeof`/],
  ['in', 'const a = 1 in x', /no `in`/],
  ['this', 'const a = this', /no `this`/],
  ['an old type assertion', 'const a = <number>x', /value as Type/],
  ['a function as a value', 'const a = f', /'f' is a function and may only be called/],
  ['a function as an argument', 'f(f)', /'f' is a function and may only be called/],
  ['a property', 'const a = x.length', /no properties/],
  ['an element', 'const a = x[0]', /no properties/],
  ['a method', 'x.toFixed()', /no methods/],
  ['a call of a local', 'x()', /'x' is a local/],
  ['a call of a constant', 'LIMIT()', /'LIMIT' is not a function/],
  ['Math.random', 'const a = Math.random()', /no Math\.random/],
  ['Math.pow', 'const a = Math.pow(2, 2)', /no Math\.pow/],
  ['Math.PI', 'const a = Math.PI', /no properties/],
  ['Atomics', 'Atomics.load(x, 1)', /primitives of 'mmtorture\/kernel'/],
  ['an unknown name', 'const a = Date', /'Date' is neither declared here nor imported/],
  ['an unknown function', 'setTimeout(1)', /'setTimeout' is neither declared/],
  ['assigning to a constant', 'LIMIT = 2', /'LIMIT' is not a local/],
  ['counting up a constant', 'LIMIT++', /'LIMIT' is not a local/],
  ['a local that hides a function', 'const f = 1', /'f' hides the function/],
  ['a local that hides a constant', 'let LIMIT = 1', /'LIMIT' hides the constant/],
  ['a local that hides an import', 'let load = 1', /'load' hides the function/],
  ['a missing argument', 'f()', /'f' takes 1 arguments, not 0/],
  ['an argument too many', 'f(1, 2)', /'f' takes 1 arguments, not 2/],
]

describe('inside a function, kbuild refuses', () => {
  it.each(inFunction)('%s', async (_what, statement, sentence) => {
    const code =
      `import { load } from '../arch/access.ts'\nconst LIMIT = 1\nexport function f(x: number): void ` +
      `{\n  ${statement}\n}\n`
    const message = await refusal(code)
    expect(message).toMatch(/^src\/kernel\/mm\/bad\.ts:[45]:\d+: /)
    expect(message).toMatch(sentence)
  })

  it('a parameter that hides a constant', async () => {
    expect(await refusal('const LIMIT = 1\nexport function f(LIMIT: number): void {}\n')).toBe(
      "src/kernel/mm/bad.ts:2:19: 'LIMIT' hides the constant of that name; rename it.",
    )
  })

  it('rest parameters and patterns', async () => {
    expect(await refusal('export function f(...x: number[]): void {}\n')).toMatch(/no rest parameters/)
    expect(await refusal('export function f({ x }: { x: number }): void {}\n')).toMatch(/no destructuring/)
  })

  it('async functions and generators', async () => {
    expect(await refusal('export async function f(): Promise<void> {}\n')).toMatch(/'f' is async/)
    expect(await refusal('export function* f(): Generator {}\n')).toMatch(/'f' is a generator/)
  })

  it('the memory outside of arch', async () => {
    const code =
      "import { memory } from '../arch/machine.ts'\nexport function f(): number {\n  return memory[0]\n}\n"
    expect(await refusal(code)).toMatch(/bad\.ts:3:10: 'memory' is for the machine's own files/)
  })

  it('the memory as a value, even in arch', async () => {
    const code = "import { memory } from './machine.ts'\nexport function f(): number {\n  return memory\n}\n"
    expect(await refusal(code, 'src/kernel/arch/bad.ts')).toMatch(/'memory' belongs to the machine/)
  })
})

const atTop: [what: string, code: string, sentence: RegExp][] = [
  ['let', 'export let a = 1\n', /no 'let' outside a function/],
  ['var', 'var a = 1\n', /no 'var' outside a function/],
  ['a class', 'export class A {}\n', /no classes/],
  ['an enum', 'export enum A { B }\n', /no enums/],
  ['a statement', 'export function f(): void {}\nf()\n', /only imports, constants, functions and types/],
  ['a default export', 'export default 1\n', /no default export/],
  ['a default import', "import a from '../arch/access.ts'\n", /import by name/],
  ['a namespace import', "import * as a from '../arch/access.ts'\n", /import by name/],
  ['a renaming import', "import { load as l } from '../arch/access.ts'\n", /'load' must keep its name/],
  ['a renaming export', "export { load as l } from '../arch/access.ts'\n", /'load' must keep its name/],
  ['a node module', "import { readFileSync } from 'node:fs'\n", /cannot import 'node:fs'/],
  ['a package', "import { parse } from 'valibot'\n", /cannot import 'valibot'/],
  ['a missing module', "import { a } from './none.ts'\n", /there is no module '\.\/none\.ts'/],
  [
    'a missing export',
    "import { nothing } from '../arch/access.ts'\n",
    /access\.ts does not export 'nothing'/,
  ],
  [
    'a name that exists',
    'export function load(): void {}\n',
    /'load' is already declared at src\/kernel\/arch\/access\.ts:/,
  ],
  [
    'a name declared twice',
    'const A = 1\nexport function A(): void {}\n',
    /declared twice|already been declared/,
  ],
  ['declare', 'export declare const a: number\n', /only the machine itself declares/],
  ['an overload', 'export function f(a: number): void\nexport function f(): void {}\n', /'f' has no body/],
  [
    'a constant of a call',
    'export function f(): number {\n  return 1\n}\nexport const A = f()\n',
    /'A' is not a constant/,
  ],
  ['a constant that is a string', "export const A = 'x'\n", /'A' is not a constant/],
  ['a constant of itself', 'export const A = B\nexport const B = A\n', /needs its own value/],
  ['a constant that is not finite', 'export const A = 1 / 0\n', /'A' is Infinity/],
  ['a syntax error', 'export function f( {\n', /bad\.ts:\d+:\d+: /],
]

describe('at the top of a module, kbuild refuses', () => {
  it.each(atTop)('%s', async (_what, code, sentence) => {
    const message = await refusal(code)
    expect(message).toMatch(/^src\/kernel\/mm\/bad\.ts:\d+:\d+: /)
    expect(message).toMatch(sentence)
  })
})
