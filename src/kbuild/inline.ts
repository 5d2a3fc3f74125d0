// The pass that puts small functions with steps in place of their calls. Each of them would be a generator, and to
// enter, leave and resume one costs more than the few steps in it.
//
//   const ptl = lock_it(mm, load(p))
//
//   becomes   let t$1; h$1: { let p$1 = load(p); if (!p$1) { t$1 = 0; break h$1 } …; t$1 = mm + 3 } const ptl = t$1
//
// A call is replaced where it is the first thing with an effect that its statement does, and happens always. Its steps
// keep the places that they have in the source, and know the calls around them. Leaves out conditions of loops and
// default values.
import { argumentKind, type Calls } from './expand.ts'
import { type Memory, remembered, signature } from './memory.ts'
import type { PassEdit, PassText, Slice } from './pass_text.ts'
import { lineEnds } from './prune.ts'
import { type Node, position } from './source.ts'
import { calledIn, calleeName, forEachChild, forEachInside, localsOf } from './syntax.ts'

/** Characters of a function that is put in place of its calls, and of one in which that is still done. */
const MAX_CALLEE = 500
const MAX_CALLER = 12_000

interface Callee {
  readonly name: string
  readonly text: PassText
  readonly declaration: Node
  readonly locals: ReadonlySet<string>
  /** Parameters that it assigns to. */
  readonly assigned: ReadonlySet<string>
  readonly calls: ReadonlySet<string>
}

type Part = string | Slice

/**
 * One round: the texts with calls replaced of functions that call no such function themselves; with `all`, of those
 * too, since the calls in them could not be replaced. `image` counts the calls that were replaced in the whole image.
 */
export function inlineCalls(
  texts: readonly PassText[],
  calls: Calls,
  image: { replaced: number },
  all: boolean,
): PassText[] {
  const callees = readyCallees(texts, calls, all)
  return texts.map((text) => {
    if (![...text.called].some((name) => callees.has(name))) return text
    const width = String(image.replaced + 1).length
    const known = remembered(inlinedBy, text, `${width} ${signature(text, calls, callees)}`, () =>
      replaceCalls(text, callees, calls, 10 ** (width - 1) - 1),
    )
    const isAsWide = String(image.replaced + known.calls).length === width
    const inlined = isAsWide ? known : replaceCalls(text, callees, calls, image.replaced)
    image.replaced += inlined.calls
    return inlined.text
  })
}

interface Inlined {
  readonly text: PassText
  /** Calls that were replaced. */
  readonly calls: number
}

/** What became of a text, by all that decides it. */
const inlinedBy: Memory<Inlined> = new WeakMap()

function replaceCalls(
  text: PassText,
  callees: ReadonlyMap<string, Callee>,
  calls: Calls,
  before: number,
): Inlined {
  const edits: PassEdit[] = []
  const names = new Names(text.names, before)
  for (const declaration of text.functions)
    if (calls.stepping.has(declaration.id.name) && declaration.end - declaration.start < MAX_CALLER)
      new Caller(text, declaration, callees, calls, names, edits).statement(declaration.body, false)
  return { text: text.edit(edits, names.given), calls: names.calls }
}

/**
 * What new locals and labels of a text are called. A name is as long as one that counts all over the image, since the
 * length of a function decides whether it is put in place of its calls.
 */
class Names {
  /** How many the text has. */
  given: number
  /** Calls that were replaced. */
  calls = 0
  readonly #before: number

  constructor(given: number, before: number) {
    this.given = given
    this.#before = before
  }

  ofCall(): string {
    return this.ofWidth(String(this.#before + ++this.calls).length)
  }

  ofWidth(width: number): string {
    return (++this.given).toString(36).padStart(width, '0')
  }
}

function readyCallees(texts: readonly PassText[], calls: Calls, all: boolean): Map<string, Callee> {
  const callees = new Map<string, Callee>()
  for (const text of texts)
    for (const callee of remembered(calleesIn, text, '', () => findCallees(text)))
      if (calls.stepping.has(callee.name)) callees.set(callee.name, callee)
  const reaches = (from: string, name: string, seen: Set<string>): boolean => {
    if (seen.has(from)) return false
    seen.add(from)
    return [...(callees.get(from)?.calls ?? [])].some(
      (called) => called === name || reaches(called, name, seen),
    )
  }
  const ready = new Map<string, Callee>()
  for (const [name, callee] of callees)
    if (all ? !reaches(name, name, new Set()) : ![...callee.calls].some((called) => callees.has(called)))
      ready.set(name, callee)
  return ready
}

const calleesIn: Memory<readonly Callee[]> = new WeakMap()

function findCallees(text: PassText): Callee[] {
  return text.functions.flatMap((declaration) => calleeOf(text, declaration) ?? [])
}

function calleeOf(text: PassText, declaration: Node): Callee | undefined {
  const { name } = declaration.id as { name: string }
  const parameters = declaration.params as Node[]
  if (declaration.end - declaration.start > MAX_CALLEE) return undefined
  if (parameters.some((p) => p.type !== 'Identifier')) return undefined
  const assigned = new Set<string>()
  let plain = true
  const called = calledIn(declaration)
  forEachInside(declaration, (node) => {
    if (node.type === 'LabeledStatement' && !node.label.name.includes('$')) plain = false
    if (node.type === 'AssignmentExpression') assigned.add(node.left.name)
    if (node.type === 'UpdateExpression') assigned.add(node.argument.name)
  })
  if (!plain || called.has(name)) return undefined
  return { name, text, declaration, locals: localsOf(declaration), assigned, calls: called }
}

/** What the expressions of a statement do before anything else. */
type First = Node | 'nothing' | 'other'

class Caller {
  readonly #text: PassText
  readonly #name: string
  readonly #locals: ReadonlySet<string>
  readonly #callees: ReadonlyMap<string, Callee>
  readonly #calls: Calls
  readonly #names: Names
  readonly #edits: PassEdit[]

  constructor(
    text: PassText,
    declaration: Node,
    callees: ReadonlyMap<string, Callee>,
    calls: Calls,
    names: Names,
    edits: PassEdit[],
  ) {
    this.#text = text
    this.#name = declaration.id.name
    this.#locals = localsOf(declaration)
    this.#callees = callees
    this.#calls = calls
    this.#names = names
    this.#edits = edits
  }

  /** Replaces calls in a statement; `listed`: it stands in a list of statements. */
  statement(node: Node, listed: boolean): void {
    const isList = node.type === 'BlockStatement' || node.type === 'SwitchCase'
    if (node.type === 'SwitchCase') for (const child of node.consequent as Node[]) this.statement(child, true)
    else if (/Statement$/.test(node.type) && node.type !== 'ExpressionStatement')
      forEachChild(node, (child) => {
        if (/Statement$|^VariableDeclaration$|^SwitchCase$/.test(child.type) && !isForPart(node, child))
          this.statement(child, isList)
      })
    const expression = firstExpression(node)
    const call = expression ? this.#first(expression) : 'nothing'
    if (typeof call === 'object') this.#replace(node, expression!, call, listed)
  }

  #first(node: Node): First {
    switch (node.type) {
      case 'MemberExpression':
      case 'UpdateExpression':
        return 'other'
      case 'AssignmentExpression': {
        if (node.left.type !== 'Identifier') return 'other'
        const first = this.#first(node.right)
        return first === 'nothing' ? 'other' : first
      }
      case 'LogicalExpression':
      case 'ConditionalExpression': {
        const test: Node = node.test ?? node.left
        const first = this.#first(test)
        if (first !== 'nothing') return first
        let quiet = true
        forEachChild(node, (child) => {
          if (child !== test && this.#first(child) !== 'nothing') quiet = false
        })
        return quiet ? 'nothing' : 'other'
      }
    }
    let first: First = 'nothing'
    forEachChild(node, (child) => {
      if (first === 'nothing') first = this.#first(child)
    })
    if (node.type !== 'CallExpression') return first
    const name = calleeName(node)
    if (name === undefined || this.#calls.isPure(name)) return first
    // Whatever its arguments do, they take with them.
    return typeof first === 'object' ? first : this.#calleeOf(node) ? node : 'other'
  }

  #calleeOf(call: Node): Callee | undefined {
    const callee = this.#callees.get(calleeName(call) ?? '')
    if (!callee || callee.name === this.#name) return undefined
    const args = call.arguments as Node[]
    if (args.length !== callee.declaration.params.length) return undefined
    if (args.some((argument) => argumentKind(argument, this.#calls.isPure) === 'assigns')) return undefined
    return [...callee.calls].some((called) => this.#locals.has(called)) ? undefined : callee
  }

  #replace(statement: Node, expression: Node, call: Node, listed: boolean): void {
    const callee = this.#calleeOf(call)!
    const number = this.#names.ofCall()
    const text = this.#text
    const whole = call === expression
    const isReturn = whole && statement.type === 'ReturnStatement'
    const isStatement = whole && statement.type === 'ExpressionStatement'
    const result = isReturn || isStatement ? undefined : `t$${number}`
    const body = new Body(callee, this.#names, number, result, isReturn)
    const block: Part[] = [
      '{ ',
      ...this.#bindings(call, callee, body),
      ...body.parts(this.#callersAt(call)),
      '}',
    ]
    if (body.label !== undefined) block.unshift(`${body.label}: `)
    if (isReturn || isStatement) {
      const ends = lineEnds(text.code, statement.start, statement.end)
      this.#edits.push({ start: statement.start, end: statement.end, text: [...block, ends] })
      return
    }
    const before: Part[] = [`let ${result}; `, ...block, ' ']
    if (!listed) before.unshift('{ ')
    const ends = lineEnds(text.code, call.start, call.end)
    if (call.start === statement.start)
      this.#edits.push({ start: call.start, end: call.end, text: [...before, `${result}${ends}`] })
    else {
      this.#edits.push({ start: call.start, end: call.end, text: `${result}${ends}` })
      this.#edits.push({ start: statement.start, end: statement.start, text: before })
    }
    if (!listed) this.#edits.push({ start: statement.end, end: statement.end, text: ' }' })
  }

  /** Gives the parameters their values: as locals of the block, or as what they are where they are used. */
  #bindings(call: Node, callee: Callee, body: Body): Part[] {
    const parts: Part[] = []
    for (const [index, parameter] of (callee.declaration.params as Node[]).entries()) {
      const argument: Node = call.arguments[index]
      const slice: Slice = { text: this.#text, start: argument.start, end: argument.end }
      const kind = argumentKind(argument, this.#calls.isPure)
      if (kind === 'simple' && !callee.assigned.has(parameter.name)) body.names.set(parameter.name, slice)
      else parts.push(`let ${body.local(parameter.name)} = `, slice, '; ')
    }
    return parts
  }

  #callersAt(call: Node): Slice['callers'] {
    const { source, offset, fn = this.#name, callers = [] } = this.#text.origin(call.start)
    return [{ fn, file: source.id, line: position(source, offset).line }, ...callers]
  }
}

/** The body of a function that is put in place of a call. */
class Body {
  /** What stands for a local of the function where that is not its name with the number. */
  readonly names = new Map<string, Slice>()
  readonly #labels = new Map<string, string>()
  readonly #callee: Callee
  readonly #names: Names
  readonly #number: string
  readonly #result: string | undefined
  readonly #isReturn: boolean
  #isLabelled = false

  constructor(callee: Callee, names: Names, number: string, result: string | undefined, isReturn: boolean) {
    this.#callee = callee
    this.#names = names
    this.#number = number
    this.#result = result
    this.#isReturn = isReturn
  }

  /** The label of the block, if it is left before its end. */
  get label(): string | undefined {
    return this.#isLabelled ? `h$${this.#number}` : undefined
  }

  local(name: string): string {
    return `${name}$${this.#number}`
  }

  parts(callers: Slice['callers']): Part[] {
    const { text, declaration, name, locals } = this.#callee
    const statements = declaration.body.body as Node[]
    const last = statements[statements.length - 1]
    const parts: Part[] = []
    let at: number = declaration.body.start + 1
    const until = (end: number): void => {
      if (end > at) parts.push({ text, start: at, end, fn: name, callers })
      at = Math.max(at, end)
    }
    const rename = (start: number, local: string): void => {
      until(start)
      parts.push(this.names.get(local) ?? this.local(local))
      at = start + local.length
    }
    // Labels may stand in one another, and have to differ.
    const renameLabel = ({ start, name: label }: Node): void => {
      until(start)
      let renamed = this.#labels.get(label)
      if (renamed === undefined)
        this.#labels.set(label, (renamed = `h$${this.#names.ofWidth(label.length - 2)}`))
      parts.push(renamed)
      at = start + label.length
    }
    // Without line ends every statement needs its semicolon.
    const endStatement = (node: Node): void => {
      until(node.end)
      if (text.code[node.end - 1] !== ';') parts.push(';')
    }
    const visit = (node: Node): void => {
      if (node.type === 'Identifier' && locals.has(node.name)) return rename(node.start, node.name)
      if (node.label) renameLabel(node.label)
      if (node.type === 'ReturnStatement' && !this.#isReturn) return leave(node)
      if (node.type === 'VariableDeclaration') {
        for (const one of node.declarations as Node[]) {
          rename(one.id.start, one.id.name)
          if (one.init) visit(one.init)
        }
        return
      }
      forEachChild(node, (child) => {
        visit(child)
        if (child.type === 'VariableDeclaration' && !isForPart(node, child)) endStatement(child)
      })
      if (UNFINISHED.has(node.type)) endStatement(node)
    }
    const leave = (node: Node): void => {
      until(node.start)
      const isLast = node === last
      if (!isLast) parts.push('{ ')
      at = node.start + 'return'.length
      if (node.argument) {
        if (this.#result !== undefined) parts.push(`${this.#result} = `)
        at = node.argument.start
        visit(node.argument)
        until(node.argument.end)
        parts.push(';')
      }
      at = node.end
      if (isLast) return
      this.#isLabelled = true
      parts.push(` break h$${this.#number} }`)
    }
    for (const statement of statements) {
      visit(statement)
      if (statement.type === 'VariableDeclaration') endStatement(statement)
    }
    until(declaration.body.end - 1)
    if (this.#isReturn && last?.type !== 'ReturnStatement') parts.push(' return ')
    return parts
  }
}

const UNFINISHED = new Set([
  'ExpressionStatement',
  'ReturnStatement',
  'BreakStatement',
  'ContinueStatement',
  'DoWhileStatement',
])

function isForPart(parent: Node, child: Node): boolean {
  return parent.type === 'ForStatement' && child === parent.init
}

/** What a statement evaluates first, and always once. */
function firstExpression(node: Node): Node | undefined {
  switch (node.type) {
    case 'ExpressionStatement':
      return node.expression
    case 'ReturnStatement':
      return node.argument ?? undefined
    case 'VariableDeclaration':
      return node.declarations[0].init ?? undefined
    case 'IfStatement':
      return node.test
    case 'SwitchStatement':
      return node.discriminant
    default:
      return undefined
  }
}
