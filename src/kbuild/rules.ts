// The rules of kernel code inside functions: which syntax, names and calls an image may hold; what is refused and why.
// Leaves out the rules at the top of a module (modules.ts) and in constants (fold.ts).
import { type Binding, type Module, lookup } from './modules.ts'
import { type Edit, type Node, refuse } from './source.ts'

/** Where a module may name what. */
export interface Permissions {
  /** May name `Atomics`. */
  readonly atomics: boolean
  /** May name objects of the machine: `memory`, `wasm`. */
  readonly memory: boolean
  /** May name the other bindings of the machine, `stat` and `oracle` among them. */
  readonly machine: boolean
}

/** Functions of Math that kernel code may call. */
export const MATH_FUNCTIONS = ['imul', 'clz32', 'min', 'max', 'abs', 'trunc', 'floor']

/** Names that stand for something in the text of an image. */
const RESERVED = new Set(['Math', 'Atomics', 'arguments', 'S', 'X'])

const RESTRICTED_AMBIENTS = new Set(['memory', 'wasm'])

const REFUSED: Record<string, string> = {
  FunctionDeclaration: 'no nested functions; make it a function of the module.',
  FunctionExpression: 'no nested functions; make it a function of the module.',
  ArrowFunctionExpression: 'no closures; make it a function of the module.',
  ClassDeclaration: "no classes; kernel state lives in the machine's memory.",
  ClassExpression: "no classes; kernel state lives in the machine's memory.",
  AwaitExpression: 'no async code; kernel code is synchronous.',
  YieldExpression: 'no generators; kernel code is synchronous.',
  TryStatement: 'no try; a BUG must stop the machine.',
  ThrowStatement: 'no throw; call BUG() or return an error number.',
  NewExpression: "no `new`; kernel state lives in the machine's memory.",
  ObjectExpression: "no objects; kernel state lives in the machine's memory.",
  ArrayExpression: "no arrays; kernel state lives in the machine's memory.",
  ObjectPattern: 'no destructuring.',
  ArrayPattern: 'no destructuring.',
  TemplateLiteral: 'no strings; kernel code knows numbers only.',
  TaggedTemplateExpression: 'no strings; kernel code knows numbers only.',
  ForInStatement: 'no for-in; count with for (let …).',
  ForOfStatement: 'no for-of; count with for (let …).',
  ChainExpression: 'no optional chaining; pointers are numbers.',
  SpreadElement: 'no spread; pass each argument.',
  RestElement: 'no rest parameters; name each one.',
  ThisExpression: 'no `this`.',
  Super: 'no `super`.',
  MetaProperty: 'no import.meta or new.target.',
  ImportExpression: 'no dynamic import.',
  WithStatement: 'no with.',
  DebuggerStatement: 'no debugger statement.',
  TSEnumDeclaration: 'no enums; write one `export const` each.',
  TSTypeAssertion: 'write the type behind the value: `value as Type`.',
}

const REFUSED_OPERATORS: Record<string, string> = {
  '**': 'no `**`; it is not exact on every machine.',
  in: 'no `in`.',
  instanceof: 'no `instanceof`.',
  typeof: 'no `typeof`; kernel code knows numbers only.',
  delete: 'no `delete`.',
}

/** Names and calls of one function. */
interface Walk {
  readonly members: Edit[]
  readonly module: Module
  readonly may: Permissions
  readonly locals: Set<string>
}

/**
 * Checks every function of a module. Throws UsageError `file:line:column: sentence` at the first thing that is refused.
 * Returns the calls of functions that an object of the machine holds (`wasm.load`), as edits to names of their own
 * (`wasm$load`): boot() takes each from its object once, since looking it up costs more than the call.
 */
export function checkRules(module: Module, may: Permissions): Edit[] {
  const members: Edit[] = []
  for (const binding of module.declared.values())
    if (binding.kind === 'function') checkFunction(binding.node, module, may, members)
  return members
}

function checkFunction(node: Node, module: Module, may: Permissions, members: Edit[]): void {
  const { source } = module
  if (node.async) refuse(source, node, `'${node.id.name}' is async; kernel code is synchronous.`)
  if (RESERVED.has(node.id.name)) refuse(source, node.id, `'${node.id.name}' cannot be a function's name.`)
  if (node.generator) refuse(source, node, `'${node.id.name}' is a generator; kernel code is synchronous.`)
  const walk: Walk = { module, may, members, locals: new Set() }
  for (const parameter of node.params as Node[]) {
    const target: Node = parameter.type === 'AssignmentPattern' ? parameter.left : parameter
    if (target.type !== 'Identifier')
      refuse(source, target, REFUSED[target.type] ?? 'expected a plain parameter.')
    addLocal(walk, target)
    if (parameter.type === 'AssignmentPattern') expression(walk, parameter.right)
  }
  statements(walk, node.body.body)
}

function addLocal(walk: Walk, id: Node): void {
  const { module } = walk
  if (lookup(module, id.name))
    refuse(
      module.source,
      id,
      `'${id.name}' hides the ${lookup(module, id.name)?.kind} of that name; rename it.`,
    )
  if (RESERVED.has(id.name)) refuse(module.source, id, `'${id.name}' cannot be a local's name.`)
  walk.locals.add(id.name)
}

function statements(walk: Walk, list: readonly Node[]): void {
  for (const node of list) statement(walk, node)
}

function statement(walk: Walk, node: Node | null): void {
  if (!node) return
  switch (node.type) {
    case 'BlockStatement':
      return statements(walk, node.body)
    case 'ExpressionStatement':
      return expression(walk, node.expression)
    case 'VariableDeclaration':
      return variables(walk, node)
    case 'ReturnStatement':
      return optional(walk, node.argument)
    case 'IfStatement':
      expression(walk, node.test)
      statement(walk, node.consequent)
      return statement(walk, node.alternate)
    case 'ForStatement':
      if (node.init?.type === 'VariableDeclaration') variables(walk, node.init)
      else optional(walk, node.init)
      optional(walk, node.test)
      optional(walk, node.update)
      return statement(walk, node.body)
    case 'WhileStatement':
    case 'DoWhileStatement':
      expression(walk, node.test)
      return statement(walk, node.body)
    case 'SwitchStatement':
      expression(walk, node.discriminant)
      for (const one of node.cases as Node[]) {
        optional(walk, one.test)
        statements(walk, one.consequent)
      }
      return
    case 'LabeledStatement':
      return statement(walk, node.body)
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'EmptyStatement':
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return
    default:
      refuse(walk.module.source, node, REFUSED[node.type] ?? `kernel code has no ${node.type}.`)
  }
}

function variables(walk: Walk, node: Node): void {
  const { source } = walk.module
  if (node.kind !== 'let' && node.kind !== 'const')
    refuse(source, node, `no '${node.kind}'; use let or const.`)
  for (const declarator of node.declarations as Node[]) {
    if (declarator.id.type !== 'Identifier')
      refuse(source, declarator.id, REFUSED[declarator.id.type] ?? 'expected a name.')
    addLocal(walk, declarator.id)
    optional(walk, declarator.init)
  }
}

function optional(walk: Walk, node: Node | null): void {
  if (node) expression(walk, node)
}

function expression(walk: Walk, node: Node): void {
  const { source } = walk.module
  switch (node.type) {
    case 'Literal':
      if (typeof node.value === 'number' || typeof node.value === 'boolean') return
      return refuse(source, node, literalSentence(node))
    case 'Identifier':
      return value(walk, node)
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
      return expression(walk, node.expression)
    case 'UnaryExpression':
      if (REFUSED_OPERATORS[node.operator]) refuse(source, node, REFUSED_OPERATORS[node.operator])
      return expression(walk, node.argument)
    case 'BinaryExpression':
    case 'LogicalExpression':
      if (REFUSED_OPERATORS[node.operator]) refuse(source, node, REFUSED_OPERATORS[node.operator])
      expression(walk, node.left)
      return expression(walk, node.right)
    case 'ConditionalExpression':
      expression(walk, node.test)
      expression(walk, node.consequent)
      return expression(walk, node.alternate)
    case 'SequenceExpression':
      for (const part of node.expressions as Node[]) expression(walk, part)
      return
    case 'AssignmentExpression':
      if (node.operator === '**=') refuse(source, node, REFUSED_OPERATORS['**'])
      assigned(walk, node.left)
      return expression(walk, node.right)
    case 'UpdateExpression':
      return assigned(walk, node.argument)
    case 'CallExpression':
      return call(walk, node)
    case 'MemberExpression':
      return element(walk, node)
    default:
      refuse(source, node, REFUSED[node.type] ?? `kernel code has no ${node.type}.`)
  }
}

function literalSentence(node: Node): string {
  if (node.value === null && node.raw === 'null') return 'no null; the null pointer is NULL, which is 0.'
  if (node.regex) return 'no regular expressions; kernel code knows numbers only.'
  if (node.bigint) return 'no BigInt; a word has 32 bits.'
  return 'no strings; kernel code knows numbers only.'
}

/** A name that stands for its value. */
function value(walk: Walk, node: Node): void {
  const { source } = walk.module
  if (walk.locals.has(node.name)) return
  const binding = resolveName(walk, node)
  if (binding.kind === 'function')
    refuse(source, node, `'${node.name}' is a function and may only be called, not passed or stored.`)
  if (binding.kind === 'ambient' && !isScalar(binding))
    refuse(source, node, `'${node.name}' belongs to the machine; only its elements are accessed.`)
}

/** The binding of a name that is no local; checks that this module may use it. */
function resolveName(walk: Walk, node: Node): Binding {
  const { module, may } = walk
  const binding = lookup(module, node.name)
  if (!binding) {
    if (node.name === 'Atomics')
      refuse(
        module.source,
        node,
        "shared memory is touched through the primitives of 'mmtorture/kernel' only.",
      )
    return refuse(module.source, node, `'${node.name}' is neither declared here nor imported.`)
  }
  if (binding.kind === 'ambient') {
    const allowed = RESTRICTED_AMBIENTS.has(node.name) ? may.memory : may.machine
    if (!allowed)
      refuse(
        module.source,
        node,
        `'${node.name}' is for the machine's own files; use the primitives of 'mmtorture/kernel'.`,
      )
  }
  return binding
}

function isScalar(binding: Binding): boolean {
  return binding.node.id?.typeAnnotation?.typeAnnotation?.type === 'TSNumberKeyword'
}

function assigned(walk: Walk, node: Node): void {
  const { source } = walk.module
  if (node.type === 'MemberExpression') return element(walk, node)
  if (node.type !== 'Identifier')
    refuse(source, node, REFUSED[node.type] ?? 'only a local can be assigned to.')
  if (!walk.locals.has(node.name))
    refuse(source, node, `'${node.name}' is not a local of this function; only locals can be assigned to.`)
}

/** `memory[i]`: the one member expression besides calls. */
function element(walk: Walk, node: Node): void {
  const { source } = walk.module
  const object = bare(node.object)
  if (!node.computed || object.type !== 'Identifier' || walk.locals.has(object.name))
    return refuse(source, node, 'no properties and no elements; use load(pointer + struct$field).')
  if (object.name === 'Math')
    refuse(source, node, `only functions of Math are called: ${MATH_FUNCTIONS.join(', ')}.`)
  const binding = resolveName(walk, object)
  if (binding.kind !== 'ambient' || isScalar(binding) || binding.node.type === 'TSDeclareFunction')
    refuse(source, node, `'${object.name}' has no elements.`)
  expression(walk, node.property)
}

function call(walk: Walk, node: Node): void {
  const { source } = walk.module
  if (node.optional) refuse(source, node, REFUSED.ChainExpression)
  const callee = bare(node.callee)
  const args = node.arguments as Node[]
  if (callee.type === 'MemberExpression') {
    memberCall(walk, callee, args)
    return
  }
  if (callee.type !== 'Identifier') refuse(source, callee, 'only a function of the kernel can be called.')
  if (walk.locals.has(callee.name))
    refuse(source, callee, `'${callee.name}' is a local; only a function of the kernel can be called.`)
  const binding = resolveName(walk, callee)
  if (
    binding.kind === 'constant' ||
    (binding.kind === 'ambient' && binding.node.type !== 'TSDeclareFunction')
  )
    refuse(source, callee, `'${callee.name}' is not a function.`)
  checkArity(walk, node, binding)
  for (const argument of args) expression(walk, argument)
}

/** Users' files are not type checked, and a missing argument would be a silent NaN. */
function checkArity(walk: Walk, node: Node, binding: Binding): void {
  const params = binding.node.params as Node[]
  const required = params.filter((p) => p.type !== 'AssignmentPattern' && p.optional !== true).length
  const given = node.arguments.length
  if (given >= required && given <= params.length) return
  const expected = required === params.length ? `${required}` : `${required} to ${params.length}`
  refuse(walk.module.source, node, `'${binding.name}' takes ${expected} arguments, not ${given}.`)
}

/** `Math.imul(…)`, `Atomics.add(memory, …)`, `wasm.add(…)`. */
function memberCall(walk: Walk, callee: Node, args: readonly Node[]): void {
  const { module, may } = walk
  const object = bare(callee.object)
  if (callee.computed || object.type !== 'Identifier' || walk.locals.has(object.name))
    refuse(module.source, callee, 'no methods; call a function of the kernel by its name.')
  if (object.name === 'Math') {
    if (!MATH_FUNCTIONS.includes(callee.property.name))
      refuse(
        module.source,
        callee,
        `no Math.${callee.property.name}; kernel code may call ${MATH_FUNCTIONS.map((f) => `Math.${f}`).join(', ')}.`,
      )
  } else if (object.name === 'Atomics') {
    if (!may.atomics)
      refuse(
        module.source,
        callee,
        "shared memory is touched through the primitives of 'mmtorture/kernel' only.",
      )
    // The array itself is an argument here, and only here.
    const [array, ...rest] = args
    const binding = array?.type === 'Identifier' ? resolveName(walk, array) : undefined
    if (binding?.kind !== 'ambient')
      refuse(module.source, callee, 'the first argument of Atomics is `memory`.')
    for (const argument of rest) expression(walk, argument)
    return
  } else {
    const binding = lookup(module, object.name)
    if (binding?.kind !== 'ambient' || isScalar(binding))
      refuse(module.source, callee, 'no methods; call a function of the kernel by its name.')
    resolveName(walk, object)
    // A typed array's methods need their array; the exports of the atomics module do not.
    if (object.name === 'wasm')
      walk.members.push({ start: callee.start, end: callee.end, text: `wasm$${callee.property.name}` })
  }
  for (const argument of args) expression(walk, argument)
}

/** The expression without parentheses and types around it. */
function bare(node: Node): Node {
  let inner = node
  while (
    inner.type === 'ParenthesizedExpression' ||
    inner.type === 'TSNonNullExpression' ||
    inner.type === 'TSAsExpression'
  )
    inner = inner.expression
  return inner
}
