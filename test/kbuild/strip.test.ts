import { expect, test } from 'vitest'
import { stripTypes } from '../../src/kbuild/strip.ts'

function strip(text: string): string {
  return stripTypes({ path: '/x/a.ts', id: 'a.ts', text, patched: false })
}

test('types are blanked, and every line and column stays', () => {
  const text = `import type { A } from './a.ts'
import { type B, c } from './c.js'
interface I { x: number }
type T<X> = X | I
abstract class K<X> extends c<X> implements I, A {
  private readonly x: number = 1
  static declare y: string
  protected z?: T<X>
  w!: B
  abstract m(): void
  constructor(this_: X, q?: number) { super(q as number, this_!) }
  private f<Y>(this: K<X>, a: Y, [b]: number[] = []): a is Y { return <any>b }
  g(a: string): void
  g(a: unknown): void { const d: number | undefined = a satisfies unknown; let e!: X; void d, e }
}
declare const out: number
function over(a: number): void
function over(a: any) { return (x: number, ...r: number[]): number => x + r.length }
export type { A }
export default over as unknown
`
  const stripped = strip(text)
  expect(stripped.split('\n').map((line) => line.length)).toEqual(text.split('\n').map((line) => line.length))
  expect(
    stripped
      .split('\n')
      .map((line) => line.trim().replaceAll(/ +/g, ' '))
      .filter((line) => line !== ''),
  ).toMatchInlineSnapshot(`
    [
      "import { c } from './c.js'",
      "class K extends c {",
      "x = 1",
      "z",
      "w",
      "constructor(this_ , q ) { super(q , this_ ) }",
      "f ( a , [b] = []) { return b }",
      "g(a ) { const d = a ; let e ; void d, e }",
      "}",
      "function over(a ) { return (x , ...r ) => x + r.length }",
      "export default over",
    ]
  `)
})

test.each([
  ['enum E { A }', 'a.ts:1:1: an enum is more than types'],
  ['class A {\n  constructor(private x: number) {}\n}', 'a.ts:2:15: a parameter property is more than types'],
  ['const a: = 1', 'a.ts:1:'],
])('%j is refused with its place', (text, message) => {
  expect(() => strip(text)).toThrow(message)
})
