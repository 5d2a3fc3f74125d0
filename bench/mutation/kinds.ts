// The kinds of faults that a kernel developer makes, as single edits of a kernel source: a recheck or a lock left out,
// an atomic operation in two halves, a flush or a count forgotten, two statements the wrong way round, a condition that
// is wrong, an error path that leaves something behind. Leaves out choosing among them (draw.ts) and hunting them.
import type { Edit, Node, Source } from '../../src/kbuild/source.ts'
import { forEachChild, forEachInside } from '../../src/kbuild/syntax.ts'

export const KINDS = ['recheck', 'lock', 'atomic', 'flush', 'counter', 'order', 'condition', 'undo'] as const
export type Kind = (typeof KINDS)[number]

/** One way to break a function: the edits do not overlap. */
export interface Fault {
  readonly kind: Kind
  /** Offset of what is broken. */
  readonly at: number
  readonly edits: readonly Edit[]
  /** Names that the edits use, of the accessors in arch/access.ts. */
  readonly uses: readonly string[]
}

/** What counts, describes or asserts: a mutant of it is none of the kernel's work. */
const ANNOTATION =
  /^(?:count_vm_event|set_fault_path|observe_|lockdep_|lock_(?:acquire|release|contended|acquired)|might_|.*_assert_|VM_BUG_ON|BUG)/
/** Calls after which a page, an object or a mapping is counted otherwise. */
const COUNTS =
  /^(?:(?:inc|dec|add|mod|sync)_|(?:get|put|try_get)_page|page_(?:add|remove|move)_|atomic_(?:inc|dec|add|sub)|mm(?:get|drop|put|grab)|(?:get|put)_|swap_(?:free|duplicate)|.*_(?:charge|uncharge|dup|ref_add)$)/
const FLUSHES = /flush|^tlb_(?:remove|change|end|finish)/
/** The call that ends a section, by the call that begins it. */
const SECTIONS: readonly (readonly [RegExp, string])[] = [
  [/^down_(read|write)(?:_nested)?$/, 'up_$1'],
  [/^(.*)lock_nested$/, '$1unlock'],
  [/^(.*)lock(_irq|_bh)?$/, '$1unlock$2'],
  [/^(.*)_disable$/, '$1_enable'],
]
/** What others see or may rely on: only around these does the order of two statements matter. */
const PUBLISHES =
  /^(?:set_|store_release|smp_store|WRITE_ONCE|list_|wake_|clear_|put_|xa_|add_to_|delete_from_)|lock|flush|free|rmap|install|_barrier$/
const COMPARISONS: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' }
const WEAKER: Readonly<Record<string, string>> = {
  smp_load_acquire: 'READ_ONCE',
  smp_store_release: 'WRITE_ONCE',
}

/** All faults of one function declaration, in the order of the text. */
export function faultsOf(source: Source, declaration: Node): Fault[] {
  const faults: Fault[] = []
  const { text } = source
  const textOf = (node: Node): string => text.slice(node.start, node.end)
  const add = (kind: Kind, at: number, edits: readonly Edit[], uses: readonly string[] = []): void =>
    void faults.push({ kind, at, edits, uses })
  const replace = (node: Node, by: string): Edit => ({ start: node.start, end: node.end, text: by })
  const remove = (node: Node): Edit => replace(node, '{}')

  /** The statements of a block, with each the next. */
  const inBlock = (statements: readonly Node[]): void => {
    for (const [index, statement] of statements.entries()) {
      const name = calledBy(statement)
      if (name === undefined) {
        atomicVariable(statement)
        continue
      }
      if (ANNOTATION.test(name)) continue
      if (FLUSHES.test(name)) add('flush', statement.start, [remove(statement)])
      else if (COUNTS.test(name)) add('counter', statement.start, [remove(statement)])
      else if (/^smp_[rw]?mb$/.test(name)) add('order', statement.start, [remove(statement)])
      atomicStatement(statement, name)
      const next = statements[index + 1]
      const nextName = next === undefined ? undefined : calledBy(next)
      const swapped =
        nextName !== undefined && !ANNOTATION.test(nextName) && textOf(next) !== textOf(statement)
      if (swapped && (PUBLISHES.test(name) || PUBLISHES.test(nextName)))
        add('order', statement.start, [replace(statement, textOf(next)), replace(next, textOf(statement))])
    }
  }

  /** A read-modify-write whose result nobody wants, as a load and a store. */
  const atomicStatement = (statement: Node, name: string): void => {
    const [p, value] = statement.expression.arguments as Node[]
    const operator = { atomic_fetch_add: '+', atomic_fetch_and: '&', atomic_fetch_or: '|' }[name]
    if (operator !== undefined)
      add(
        'atomic',
        statement.start,
        [replace(statement, `store(${textOf(p)}, load(${textOf(p)}) ${operator} (${textOf(value)}))`)],
        ['load', 'store'],
      )
  }

  /** The same where the result has a name. */
  const atomicVariable = (statement: Node): void => {
    if (statement.type !== 'VariableDeclaration' || statement.declarations.length !== 1) return
    const { id, init } = statement.declarations[0]
    const call = bare(init)
    if (call?.type !== 'CallExpression') return
    const [p, first, second] = call.arguments as Node[]
    const stored = {
      atomic_fetch_add: () => `store(${textOf(p)}, ${id.name} + (${textOf(first)}))`,
      atomic_fetch_and: () => `store(${textOf(p)}, ${id.name} & (${textOf(first)}))`,
      atomic_fetch_or: () => `store(${textOf(p)}, ${id.name} | (${textOf(first)}))`,
      xchg: () => `store(${textOf(p)}, ${textOf(first)})`,
      cmpxchg: () => `if (${id.name} === (${textOf(first)})) store(${textOf(p)}, ${textOf(second)})`,
    }[call.callee.name as string]
    if (stored === undefined) return
    const edits = [
      replace(call, `load(${textOf(p)})`),
      { start: statement.end, end: statement.end, text: `; ${stored()}` },
    ]
    add('atomic', statement.start, edits, ['load', 'store'])
  }

  const inIf = (node: Node): void => {
    const { test, consequent, alternate } = node
    if (isRetry(consequent)) add('recheck', test.start, [replace(test, 'false')])
    else if (alternate && isRetry(alternate)) add('recheck', test.start, [replace(test, 'true')])
    else if (!isConstant(test)) add('condition', test.start, [replace(test, `!(${textOf(test)})`)])
    const body = (consequent.type === 'BlockStatement' ? consequent.body : []) as Node[]
    if (body.at(-1)?.type !== 'ReturnStatement') return
    for (const statement of body) {
      const name = calledBy(statement)
      if (name === undefined || ANNOTATION.test(name) || FLUSHES.test(name) || COUNTS.test(name)) continue
      add('undo', statement.start, [remove(statement)])
    }
  }

  /** Whether a branch counts that something has changed since it was read. */
  const isRetry = (branch: Node): boolean =>
    ((branch.type === 'BlockStatement' ? branch.body : [branch]) as Node[]).some((statement) =>
      /^count_vm_event\(RETRY_/.test(textOf(statement)),
    )

  const sections = (): void => {
    const calls: { name: string; argument: string; statement: Node }[] = []
    forEachInside(declaration, (node) => {
      const name = calledBy(node)
      if (name !== undefined)
        calls.push({
          name,
          argument: (node.expression.arguments as Node[]).map(textOf).join(', '),
          statement: node,
        })
    })
    for (const { name, argument, statement } of calls) {
      if (ANNOTATION.test(name)) continue
      const section = SECTIONS.find(([begin]) => begin.test(name))
      if (section === undefined) continue
      const end = name.replace(...section)
      const [lock] = argument.split(', ')
      const ends = calls.filter(
        (call) => call.name === end && call.argument === lock && call.statement.start > statement.start,
      )
      if (ends.length > 0)
        add('lock', statement.start, [statement, ...ends.map((call) => call.statement)].map(remove))
    }
  }

  forEachInside(declaration, (node) => {
    switch (node.type) {
      case 'BlockStatement':
        inBlock(node.body)
        break
      case 'IfStatement':
        inIf(node)
        break
      case 'LogicalExpression':
        for (const [kept, dropped] of [
          [node.left, node.right],
          [node.right, node.left],
        ])
          if (!isConstant(dropped) && !isInAnnotation(declaration, node))
            add('condition', node.start, [replace(node, textOf(kept))])
        break
      case 'BinaryExpression':
        if (COMPARISONS[node.operator] !== undefined && !isInAnnotation(declaration, node))
          add('condition', node.start, [
            { start: node.left.end, end: node.right.start, text: ` ${COMPARISONS[node.operator]} ` },
          ])
        break
      case 'CallExpression': {
        const { name } = node.callee
        if (/^p[gmu4]?[dt]e?_same$/.test(name)) add('recheck', node.start, [replace(node, 'true')])
        if (WEAKER[name] !== undefined)
          add('order', node.start, [replace(node.callee, WEAKER[name])], [WEAKER[name]])
        break
      }
    }
  })
  sections()
  return faults.toSorted((one, other) => one.at - other.at)
}

/** The function that a statement calls, where that is all it does. */
function calledBy(statement: Node): string | undefined {
  if (statement.type !== 'ExpressionStatement') return undefined
  const { expression } = statement
  return expression.type === 'CallExpression' ? (expression.callee.name as string) : undefined
}

function bare(node: Node | null): Node | undefined {
  if (!node) return undefined
  return node.type === 'TSAsExpression' || node.type === 'ParenthesizedExpression'
    ? bare(node.expression)
    : node
}

/** Whether configuration alone decides it. */
function isConstant(node: Node): boolean {
  if (node.type === 'Identifier') return /^[A-Z][A-Z0-9_]*$/.test(node.name)
  if (node.type === 'Literal') return true
  if (node.type === 'CallExpression') return false
  let constant = true
  let children = 0
  forEachChild(node, (child) => {
    children++
    constant &&= isConstant(child)
  })
  return children > 0 && constant
}

/** Whether `node` is part of an assertion's condition, or of what a count or a description is given. */
function isInAnnotation(declaration: Node, node: Node): boolean {
  let inside = false
  forEachInside(declaration, (outer) => {
    if (outer.type === 'CallExpression' && ANNOTATION.test(outer.callee.name))
      inside ||= outer.start <= node.start && node.end <= outer.end
  })
  return inside
}
