// The pass that expands helpers of a few accesses at the place of their call (ptep_get, page_count, arch_spin_lock): a
// call of a generator costs more than the step in it. A helper is a function of one expression; it is expanded where
// that keeps the order in which everything is evaluated. Leaves out helpers with statements, whose calls stay calls.
import { abilities, type Memory, remembered, signature } from './memory.ts'
import type { PassEdit, PassText } from './pass_text.ts'
import { PURE_MACHINE_FUNCTIONS } from './primitives.ts'
import { factsOf } from './facts.ts'
import { lineEnds } from './prune.ts'
import type { Node } from './source.ts'
import { suspendedFunctions } from './suspend.ts'
import { calleeName, forEachChild, forEachInside, listedStatements, localsOf } from './syntax.ts'

/** Accesses that a helper may hold. */
const MAX_ACCESSES = 3

/** A use of a parameter in a helper, or an effect, in the order of evaluation. */
interface Event {
  /** Index of the parameter; -1: an access or another effect. */
  readonly parameter: number
  /** Not evaluated at every call. */
  readonly conditional: boolean
}

interface Helper {
  readonly name: string
  readonly text: PassText
  /** Its one expression. */
  readonly body: Node
  /** Without a value: only calls that are statements are expanded. */
  readonly isVoid: boolean
  readonly parameters: number
  readonly events: readonly Event[]
  /** The parameters in the expression, in the order of the text. */
  readonly uses: readonly { readonly node: Node; readonly parameter: number }[]
  /** What it calls; none of these names may be a local's where it is expanded. */
  readonly calls: ReadonlySet<string>
}

/**
 * One round: the texts with calls of helpers expanded, those of helpers that call helpers not before the next round.
 */
export function expandHelpers(texts: readonly PassText[], calls: Calls): PassText[] {
  const helpers = findHelpers(texts, calls)
  return texts.map((text) =>
    [...text.called].some((name) => helpers.has(name))
      ? remembered(expandedBy, text, signature(text, calls, helpers), () =>
          text.edit(expansions(text, helpers, calls)),
        )
      : text,
  )
}

/** What became of a text, by all that decides it. */
const expandedBy: Memory<PassText> = new WeakMap()
const helpersIn: Memory<readonly Helper[]> = new WeakMap()

/** What the calls in an image may do. */
export function callsOf(texts: readonly PassText[], isPrimitive: (name: string) => boolean): Calls {
  return {
    isPrimitive,
    isPure: pureFunctions(texts, isPrimitive),
    stepping: suspendedFunctions(texts, isPrimitive, []),
    abilities: new WeakMap(),
  }
}

/** Functions that only compute: no access, no counter, nothing of the machine's. */
function pureFunctions(
  texts: readonly PassText[],
  isPrimitive: (name: string) => boolean,
): (name: string) => boolean {
  const calls = new Map<string, ReadonlySet<string>>()
  const impure = new Set<string>()
  for (const text of texts)
    for (const { name, calls: called, members } of factsOf(text)) {
      calls.set(name, called)
      if (members) impure.add(name)
    }
  const pure = (name: string): boolean =>
    PURE_MACHINE_FUNCTIONS.has(name) || (calls.has(name) && !impure.has(name) && !isPrimitive(name))
  for (let size = -1; size !== impure.size;) {
    size = impure.size
    for (const [name, called] of calls) if (!impure.has(name) && ![...called].every(pure)) impure.add(name)
  }
  return pure
}

/** What calls of a name may do. */
export interface Calls {
  isPrimitive(name: string): boolean
  /** Nothing but compute. */
  isPure(name: string): boolean
  /** Reach a primitive. */
  readonly stepping: ReadonlySet<string>
  /** Abilities by text. */
  readonly abilities: WeakMap<PassText, string>
}

function findHelpers(texts: readonly PassText[], calls: Calls): Map<string, Helper> {
  const helpers = new Map<string, Helper>()
  for (const text of texts) {
    const found = remembered(helpersIn, text, abilities(text, calls), () =>
      text.functions.flatMap((declaration) => helperOf(text, declaration, calls) ?? []),
    )
    for (const helper of found) helpers.set(helper.name, helper)
  }
  return helpers
}

function helperOf(text: PassText, declaration: Node, may: Calls): Helper | undefined {
  if (!may.stepping.has(declaration.id.name)) return undefined
  const statements = declaration.body.body as Node[]
  const [only] = statements
  const body: Node | null | undefined =
    only?.type === 'ReturnStatement'
      ? only.argument
      : only?.type === 'ExpressionStatement'
        ? only.expression
        : null
  const parameters = declaration.params as Node[]
  if (statements.length !== 1 || !body || parameters.some((p) => p.type !== 'Identifier')) return undefined
  const events: Event[] = []
  const uses: { node: Node; parameter: number }[] = []
  const calls = new Set<string>()
  let plain = true
  let accesses = 0

  function visit(node: Node, conditional: boolean): void {
    const branches = node.type === 'ConditionalExpression' || node.type === 'LogicalExpression'
    const first = branches ? (node.test ?? node.left) : undefined
    forEachChild(node, (child) => visit(child, conditional || (branches && child !== first)))
    if (node.type === 'Identifier') {
      const parameter = parameters.findIndex((p) => p.name === node.name)
      if (parameter < 0) plain = false
      else {
        events.push({ parameter, conditional })
        uses.push({ node, parameter })
      }
    } else if (node.type === 'CallExpression') {
      const name = calleeName(node)
      if (name === undefined) return
      calls.add(name)
      if (may.isPrimitive(name)) accesses++
      else if (may.stepping.has(name)) plain = false
      if (!may.isPure(name)) events.push({ parameter: -1, conditional })
    } else if (!isPlain(node)) plain = false
  }
  visit(body, false)
  if (!plain || accesses === 0 || accesses > MAX_ACCESSES) return undefined
  return {
    name: declaration.id.name,
    text,
    body,
    isVoid: only.type === 'ExpressionStatement',
    parameters: parameters.length,
    events,
    uses,
    calls,
  }
}

const PLAIN = new Set([
  'Literal',
  'ParenthesizedExpression',
  'UnaryExpression',
  'BinaryExpression',
  'LogicalExpression',
  'ConditionalExpression',
  'SequenceExpression',
])

/** Whether a node, apart from its parts, has no effect and does not depend on memory. */
function isPlain(node: Node): boolean {
  return PLAIN.has(node.type)
}

/** The edits that expand the calls of `helpers` in a text. */
function expansions(text: PassText, helpers: ReadonlyMap<string, Helper>, calls: Calls): PassEdit[] {
  const edits: PassEdit[] = []
  for (const declaration of text.functions) {
    const locals = localsOf(declaration)
    const listed = listedStatements(declaration)
    const statements = new Set<Node>()
    forEachInside(declaration, (node) => {
      if (node.type === 'ExpressionStatement') statements.add(node.expression)
      const name = node.type === 'CallExpression' ? calleeName(node) : undefined
      const helper = name === undefined ? undefined : helpers.get(name)
      if (!helper || name === declaration.id.name || (helper.isVoid && !statements.has(node))) return
      if (![...helper.calls].some((called) => locals.has(called)))
        edits.push(...expansion(text, node, helper, calls.isPure, listed.has(node.start)))
    })
  }
  return edits
}

/** What an argument is, as far as moving it is concerned. */
type Argument = 'simple' | 'pure' | 'effect' | 'assigns'

function expansion(
  text: PassText,
  call: Node,
  helper: Helper,
  isPure: (name: string) => boolean,
  listed: boolean,
): PassEdit[] {
  const args = call.arguments as Node[]
  const kinds = args.map((argument) => argumentKind(argument, isPure))
  if (args.length !== helper.parameters || !keepsOrder(helper, kinds)) return []
  const source = helper.text.code
  const wrap = helper.body.type !== 'CallExpression'
  const edits: PassEdit[] = []
  let from = call.start
  let put = wrap ? (listed ? ';(' : '(') : ''
  let at: number = helper.body.start
  for (const { node, parameter } of helper.uses) {
    put += oneLine(source.slice(at, node.start))
    at = node.end
    const argument = args[parameter]
    if (kinds[parameter] !== 'effect') {
      put += operand(text, argument, kinds[parameter])
      continue
    }
    // What has effects stays where it is: its own steps keep their places in the source.
    const bare = argument.type === 'CallExpression' || argument.type === 'ParenthesizedExpression'
    if (!bare) put += '('
    edits.push({
      start: from,
      end: argument.start,
      text: put + lineEnds(text.code, from, argument.start),
      helper: helper.name,
    })
    from = argument.end
    put = bare ? '' : ')'
  }
  put += oneLine(source.slice(at, helper.body.end)) + (wrap ? ')' : '')
  const rest = lineEnds(text.code, from, call.end)
  edits.push({
    start: from,
    end: call.end,
    text: `${put.slice(0, -1)}${rest}${put.slice(-1)}`,
    helper: helper.name,
  })
  return edits
}

/** What it takes to evaluate an argument at another time. */
export function argumentKind(argument: Node, isPure: (name: string) => boolean): Argument {
  const inner = argument.type === 'ParenthesizedExpression' ? argument.expression : argument
  if (inner.type === 'Identifier' || isNumber(inner)) return 'simple'
  let kind: Argument = 'pure'
  const visit = (node: Node): void => {
    if (node.type === 'AssignmentExpression' || node.type === 'UpdateExpression') kind = 'assigns'
    else if (node.type === 'MemberExpression' && kind === 'pure') kind = 'effect'
    else if (node.type === 'CallExpression') {
      const name = calleeName(node)
      if (kind === 'pure' && name !== undefined && !isPure(name)) kind = 'effect'
    }
    forEachChild(node, visit)
  }
  visit(argument)
  return kind
}

function isNumber(node: Node): boolean {
  return node.type === 'Literal' || (node.type === 'UnaryExpression' && node.argument.type === 'Literal')
}

/** Whether everything happens in the order of the call when the arguments are evaluated where the helper uses them. */
function keepsOrder(helper: Helper, kinds: readonly Argument[]): boolean {
  if (kinds.includes('assigns')) return false
  const uses = kinds.map((_, parameter) => helper.events.filter((event) => event.parameter === parameter))
  const effects = helper.events.filter((event) => event.parameter >= 0 && kinds[event.parameter] === 'effect')
  if (kinds.some((kind, parameter) => kind === 'pure' && uses[parameter].length > 1)) return false
  if (kinds.some((kind, parameter) => kind === 'effect' && uses[parameter].length !== 1)) return false
  if (effects.some(({ conditional }) => conditional)) return false
  if (effects.some((event, index) => index > 0 && event.parameter < effects[index - 1].parameter))
    return false
  const last = effects[effects.length - 1]
  return (
    last === undefined || !helper.events.slice(0, helper.events.indexOf(last)).some((e) => e.parameter < 0)
  )
}

/** An argument as an operand anywhere. */
function operand(text: PassText, argument: Node, kind: Argument): string {
  const code = oneLine(text.code.slice(argument.start, argument.end))
  const whole =
    argument.type === 'ParenthesizedExpression' ||
    argument.type === 'CallExpression' ||
    (kind === 'simple' && argument.type !== 'UnaryExpression')
  return whole ? code : `(${code})`
}

function oneLine(code: string): string {
  return code.replace(/\s+/g, ' ')
}
