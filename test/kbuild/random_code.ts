// Random kernel code for tests: functions of every form that the passes treat apart. What it computes means nothing;
// addresses stay below MEMORY, loops end. Leaves out types and whatever kbuild refuses.
export const MEMORY = 64

const READS = ['load', 'READ_ONCE', 'data_race', 'smp_load_acquire', 'atomic_load', 'user_word_load']
const WRITES = ['store', 'WRITE_ONCE', 'smp_store_release', 'atomic_store', 'user_word_store']
const UPDATES = ['atomic_fetch_add', 'atomic_fetch_and', 'atomic_fetch_or', 'xchg']
const BINARY = ['+', '-', '*', '&', '|', '^', '<<', '>>', '<', '===', '!==', '&&', '||']

export interface Choices {
  /** A number from 0 to n - 1. */
  below(n: number): number
}

interface Scope {
  readonly locals: string[]
  /** Locals that may be assigned to. */
  readonly variables: string[]
  readonly callees: readonly { name: string; parameters: number }[]
  /** Whether expressions may reach memory. */
  readonly pure: boolean
}

/** A module of kernel code whose last function is `main(a, b)`. */
export function randomCode(choices: Choices, functions: number): string {
  const { below } = choices
  let names = 0
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]

  function expression(scope: Scope, depth: number): string {
    const inner = (): string => expression(scope, depth - 1)
    const address = (): string => `(${inner()}) & ${MEMORY - 1}`
    if (depth <= 0) return below(3) === 0 ? String(below(100) - 20) : pick(scope.locals)
    switch (below(scope.pure ? 6 : 15)) {
      case 0:
        return pick(scope.locals)
      case 1:
        return `(${inner()} ${pick(BINARY)} ${inner()})`
      case 2:
        return `(${inner()} ? ${inner()} : ${inner()})`
      case 3:
        return `Math.imul(${inner()}, ${inner()})`
      case 4:
        return `(LOCK_STAT ? ${inner()} : ${inner()})`
      case 5:
        return `-(${inner()})`
      case 6:
      case 7:
        return `${pick(READS)}(${address()})`
      case 8:
        return `${pick(UPDATES)}(${address()}, ${inner()})`
      case 9:
        return `cmpxchg(${address()}, ${inner()}, ${inner()})`
      case 10:
        return scope.variables.length > 0 ? `(${pick(scope.variables)} = ${inner()})` : 'this_cpu'
      case 11:
        return `this_cpu_read((${inner()}) & 7)`
      default: {
        if (scope.callees.length === 0) return inner()
        const { name, parameters } = pick(scope.callees)
        const separator = below(4) === 0 ? ',\n    ' : ', '
        return `${name}(${Array.from({ length: parameters }, inner).join(separator)})`
      }
    }
  }

  function statement(scope: Scope, depth: number, indent: string): string {
    const value = (): string => expression(scope, 2)
    const block = (): string =>
      statements(
        { ...scope, locals: [...scope.locals], variables: [...scope.variables] },
        depth - 1,
        `${indent}  `,
      )
    const braces = (): string => `{\n${block()}${indent}}`
    const branch = (): string => (below(2) === 0 ? braces() : `\n${indent}  ${simple(scope)}`)
    switch (depth > 0 ? below(10) : below(6)) {
      case 0: {
        const name = `v${names++}`
        const line = `let ${name} = ${value()}`
        scope.locals.push(name)
        scope.variables.push(name)
        return line
      }
      case 6:
        return `if (${value()}) ${branch()}\n${indent}else ${branch()}`
      case 7:
        return `if (LOCK_STAT${below(2) === 0 ? ` || ${value()}` : ''}) ${branch()}${
          below(2) === 0 ? `\n${indent}else ${branch()}` : ''
        }`
      case 8: {
        const name = `i${names++}`
        return `for (let ${name} = 0; ${name} < ${1 + below(3)}; ${name}++) ${braces()}`
      }
      case 9:
        return (
          `switch ((${value()}) & 1) {\n${indent}  case 0:\n${block()}${indent}    break\n${indent}  ` +
          `default:\n${block()}${indent}}`
        )
      default:
        return simple(scope)
    }
  }

  function simple(scope: Scope): string {
    const value = (): string => expression(scope, 2)
    switch (below(5)) {
      case 0:
        return `stat[(${value()}) & 7] += 1`
      case 1:
        return `this_cpu_write((${value()}) & 7, ${value()})`
      default:
        return below(2) === 0
          ? `${pick(WRITES)}((${value()}) & ${MEMORY - 1}, ${value()})`
          : expression(scope, 3).replace(/^[(-].*/s, 'load(1)')
    }
  }

  function statements(scope: Scope, depth: number, indent: string): string {
    return Array.from({ length: 1 + below(4) }, () => `${indent}${statement(scope, depth, indent)}\n`).join(
      '',
    )
  }

  const callees: { name: string; parameters: number }[] = []
  let code = ''
  for (let index = 0; index < functions; index++) {
    const last = index === functions - 1
    const parameters = last ? ['a', 'b'] : ['p', 'q', 'r'].slice(0, 1 + below(3))
    const form = last ? 0 : below(4)
    const scope: Scope = {
      locals: [...parameters],
      variables: [],
      callees: callees.slice(-6),
      pure: form === 3,
    }
    const assigned: Scope = { ...scope, variables: below(2) === 0 ? [...parameters] : [] }
    const name = last ? 'main' : `f${index}`
    code += `export function ${name}(${parameters.map((p) => `${p}: number`).join(', ')}): number {\n`
    if (form === 0) code += `${statements(assigned, 2, '  ')}  return ${expression(assigned, 2)}\n`
    else if (form === 1) code += `  return ${expression(scope, 2)}\n`
    else if (form === 2) code += `  ${simple(scope)}\n`
    else code += `  return ${expression(scope, 2)}\n`
    code += '}\n\n'
    callees.push({ name, parameters: parameters.length })
  }
  return code
}
