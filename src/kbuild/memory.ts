// What passes have made of a text before: a process that builds several images meets the same functions again and
// again. Nothing here changes what is built; what was made of a text is kept as long as the text is.
import type { Calls } from './expand.ts'
import type { PassText } from './pass_text.ts'

/** By text, and by whatever else decides the value. */
export type Memory<V> = WeakMap<PassText, Map<string, V>>

/** The value of `make`, which `text` and `key` decide. */
export function remembered<V>(memory: Memory<V>, text: PassText, key: string, make: () => V): V {
  let values = memory.get(text)
  if (!values) memory.set(text, (values = new Map()))
  if (values.has(key)) return values.get(key)!
  const value = make()
  values.set(key, value)
  return value
}

let numbers = 0
const numberOf = new WeakMap<object, number>()

/** A number that only this object has. */
function identity(one: object): number {
  let number = numberOf.get(one)
  if (number === undefined) numberOf.set(one, (number = ++numbers))
  return number
}

/** What the functions of a text and those that it calls may do. */
export function abilities(text: PassText, calls: Calls): string {
  let known = calls.abilities.get(text)
  if (known === undefined) {
    const names = [...text.functions.map((declaration) => declaration.id.name as string), ...text.called]
    const of = (name: string): number =>
      (calls.isPure(name) ? 1 : 0) | (calls.isPrimitive(name) ? 2 : 0) | (calls.stepping.has(name) ? 4 : 0)
    calls.abilities.set(text, (known = names.map(of).join('')))
  }
  return known
}

/** What decides what becomes of a text when its calls of `callees` are replaced. */
export function signature(text: PassText, calls: Calls, callees: ReadonlyMap<string, object>): string {
  const called = [...text.called].map((name) => {
    const callee = callees.get(name)
    return callee === undefined ? '' : identity(callee)
  })
  return `${abilities(text, calls)} ${called.join(',')}`
}
