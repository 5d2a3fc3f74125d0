// Evaluates the constants of an image and folds them: every constant expression in a function becomes its value. Leaves
// out the removal of dead branches, which the JavaScript engine does for `if (0)` when it compiles the function.
import { type Module, lookup } from './modules.ts'
import { type Edit, type Node, type Source, refuse } from './source.ts'
import { forEachChild } from './syntax.ts'

/** A value of a constant expression. Constants hold numbers; inside an expression a comparison is still a boolean. */
export type Value = number | boolean

const MATH: Record<string, (...values: number[]) => number> = {
  min: Math.min,
  max: Math.max,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  log2: Math.log2,
  clz32: Math.clz32,
  imul: Math.imul,
  abs: Math.abs,
}

const ALLOWED = `literals, constants, operators, ?: and Math.${Object.keys(MATH).join(', Math.')}`

/**
 * The value of every constant of `modules`, by name. `overrides` are values that stand instead of the initialisers of
 * the module for which `isConfig` holds. Booleans become 1 and 0. Throws UsageError for an initialiser that is not a
 * constant expression, is not finite, or needs its own value.
 */
export function evaluateConstants(
  modules: readonly Module[],
  isConfig: (source: Source) => boolean,
  overrides: Readonly<Record<string, number>>,
): Map<string, number> {
  const values = new Map<string, number>()
  const running = new Set<string>()

  function constant(module: Module, name: string, node: Node): Value | undefined {
    const binding = lookup(module, name)
    if (binding?.kind !== 'constant') return undefined
    const known = values.get(name)
    if (known !== undefined) return known
    const owner = binding.module
    if (isConfig(owner.source) && Object.hasOwn(overrides, name)) {
      values.set(name, overrides[name])
      return overrides[name]
    }
    if (running.has(name)) refuse(module.source, node, `the constant '${name}' needs its own value.`)
    if (!binding.node) refuse(owner.source, owner.program, `the constant '${name}' has no value.`)
    running.add(name)
    const value = evaluate(binding.node, (inner) => constant(owner, inner.name, inner))
    running.delete(name)
    if (value === undefined)
      refuse(
        owner.source,
        offender(binding.node, owner),
        `'${name}' is not a constant; allowed are ${ALLOWED}.`,
      )
    const number = Number(value)
    if (!Number.isFinite(number))
      refuse(owner.source, binding.node, `'${name}' is ${number}, where a finite number is expected.`)
    values.set(name, number)
    return number
  }

  for (const module of modules)
    for (const binding of module.declared.values())
      if (binding.kind === 'constant') constant(module, binding.name, binding.node)
  return values
}

/** The node to point at: the first name in a refused initialiser that is no constant, or the whole of it. */
function offender(node: Node, module: Module): Node {
  if (node.type === 'Identifier') return node
  for (const field of ['left', 'right', 'argument', 'test', 'consequent', 'alternate', 'expression']) {
    const inner = node[field] as Node | undefined
    if (inner?.type === 'Identifier' && lookup(module, inner.name)?.kind !== 'constant') return inner
  }
  return node
}

/** Replacements that fold the constants in the functions of a module, in order of their offsets. */
export function foldFunctions(module: Module, values: ReadonlyMap<string, number>): Edit[] {
  const edits: Edit[] = []
  const { text } = module.source

  const named = (node: Node): Value | undefined =>
    lookup(module, node.name)?.kind === 'constant' ? values.get(node.name) : undefined

  function visit(node: Node): void {
    if (isExpression(node)) {
      // Replacing an expression of several lines would move the lines after it; its parts are folded instead.
      const value =
        mayFold(node) && !text.slice(node.start, node.end).includes('\n') ? evaluate(node, named) : undefined
      if (value !== undefined && Number.isFinite(Number(value))) {
        const literal = literalOf(value)
        if (literal !== text.slice(node.start, node.end))
          edits.push({ start: node.start, end: node.end, text: literal })
        return
      }
    }
    forEachChild(node, visit)
  }

  for (const binding of module.declared.values())
    if (binding.kind === 'function') {
      for (const parameter of binding.node.params as Node[])
        if (parameter.type === 'AssignmentPattern') visit(parameter.right)
      visit(binding.node.body)
    }
  return edits.sort((a, b) => a.start - b.start)
}

const FOLDED = new Set([
  'Identifier',
  'UnaryExpression',
  'BinaryExpression',
  'LogicalExpression',
  'ConditionalExpression',
  'CallExpression',
  'ParenthesizedExpression',
  'TSAsExpression',
])

function isExpression(node: Node): boolean {
  return FOLDED.has(node.type)
}

/** Parentheses stay where they are: an `if` needs its own, and the value inside them is folded. */
function mayFold(node: Node): boolean {
  return node.type !== 'ParenthesizedExpression'
}

function literalOf(value: Value): string {
  if (typeof value === 'boolean') return String(value)
  return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? '-0' : value})` : String(value)
}

/** The value of a constant expression; undefined when `node` is none. `named` answers for identifiers. */
export function evaluate(node: Node, named: (node: Node) => Value | undefined): Value | undefined {
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'number' || typeof node.value === 'boolean' ? node.value : undefined
    case 'Identifier':
      return named(node)
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
      return evaluate(node.expression, named)
    case 'UnaryExpression': {
      const value = evaluate(node.argument, named)
      return value === undefined ? undefined : unary(node.operator, value)
    }
    case 'BinaryExpression': {
      const left = evaluate(node.left, named)
      if (left === undefined) return undefined
      const right = evaluate(node.right, named)
      return right === undefined ? undefined : binary(node.operator, Number(left), Number(right))
    }
    case 'LogicalExpression': {
      const left = evaluate(node.left, named)
      if (left === undefined) return undefined
      if (node.operator === '&&') return left ? evaluate(node.right, named) : left
      return node.operator === '||' && !left ? evaluate(node.right, named) : left
    }
    case 'ConditionalExpression': {
      const test = evaluate(node.test, named)
      return test === undefined ? undefined : evaluate(test ? node.consequent : node.alternate, named)
    }
    case 'CallExpression':
      return mathCall(node, named)
    default:
      return undefined
  }
}

function mathCall(node: Node, named: (node: Node) => Value | undefined): Value | undefined {
  const { callee } = node
  if (callee.type !== 'MemberExpression' || callee.computed || callee.object.name !== 'Math') return undefined
  if (!Object.hasOwn(MATH, callee.property.name)) return undefined
  const values: number[] = []
  for (const argument of node.arguments as Node[]) {
    const value = evaluate(argument, named)
    if (value === undefined) return undefined
    values.push(Number(value))
  }
  return MATH[callee.property.name](...values)
}

function unary(operator: string, value: Value): Value | undefined {
  switch (operator) {
    case '-':
      return -Number(value)
    case '+':
      return Number(value)
    case '~':
      return ~Number(value)
    case '!':
      return !value
    default:
      return undefined
  }
}

function binary(operator: string, a: number, b: number): Value | undefined {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      return a % b
    case '<<':
      return a << b
    case '>>':
      return a >> b
    case '>>>':
      return a >>> b
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
    case '===':
    case '==':
      return a === b
    case '!==':
    case '!=':
      return a !== b
    default:
      return undefined
  }
}
