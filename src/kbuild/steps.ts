// Makes a stepped or gated image of linked modules: which names are steps, which are the machine's functions, and the
// passes in their order. Leaves out what each pass does: prune.ts, expand.ts, announce.ts, suspend.ts.
import { type BugCalls, bugCalls } from './bug_calls.ts'
import { type AnnouncedKind, announce } from './announce.ts'
import type { Frame, Site } from '../step/site.ts'
import { callsOf, expandHelpers } from './expand.ts'
import { inlineCalls } from './inline.ts'
import { type Module, lookup } from './modules.ts'
import { type PassEdit, PassText } from './pass_text.ts'
import { MACHINE_FUNCTIONS, PRIMITIVES } from './primitives.ts'
import { dropUnreached, pruneBranches } from './prune.ts'
import { type Edit, type Node, type Source, refuse } from './source.ts'
import { calleeName, forEachInside, localsOf } from './syntax.ts'
import { suspend, suspendedFunctions } from './suspend.ts'
import { blank } from './types.ts'

export interface StepOptions {
  readonly kind: AnnouncedKind
  /** Whether the machine stands for the functions of this module. */
  isReplaced(source: Source): boolean
}

export interface Stepped {
  /** The modules that are linked, in their order. */
  readonly texts: readonly { readonly source: Source; readonly code: string }[]
  /** What boot() takes from its environment. */
  readonly bindings: readonly string[]
  readonly sites: readonly Site[]
  /** Calls that stop the machine, where kbuild has put them into another function. */
  readonly bugs: BugCalls
  /** The functions that are left. */
  readonly functions: string[]
}

/** A module with the text to start from: types blanked, `edits` fold its constants. */
export interface PlainModule {
  readonly module: Module
  readonly code: string
  readonly edits: readonly Edit[]
}

/**
 * Announces the steps of `modules` and, in a stepped image, makes generators of the functions that reach them.
 * @param exported names of the functions that boot() returns: entries, which are generators in every stepped image
 */
export function stepModules(
  modules: readonly PlainModule[],
  exported: readonly string[],
  options: StepOptions,
): Stepped {
  const { kind } = options
  const replaced = replacedFunctions(modules, options)
  const primitives = new Map([...PRIMITIVES].filter(([name]) => replaced.has(name)))
  const isPrimitive = (name: string): boolean => primitives.has(name)
  const linked = modules.filter(({ module }) => !options.isReplaced(module.source))
  const folded = linked.flatMap((one) => functionTexts(one, machineEdits(one.module, replaced)))
  const pruned = folded.map((text) => text.edit(pruneBranches(text)))
  const plain = flatten(pruned, isPrimitive, exported)
  const sites: Site[] = []
  const suspended = kind === 'stepped' ? suspendedFunctions(plain, isPrimitive, exported) : new Set<string>()
  const codes = new Map<Source, string>()
  const bugs: Record<string, readonly Frame[]> = {}
  for (const text of plain) {
    const edits: PassEdit[] = announce(text, kind, primitives, sites)
    edits.push(...suspend(text, isPrimitive, suspended))
    const before = codes.get(text.source) ?? ''
    const announced = text.edit(edits)
    Object.assign(bugs, bugCalls(announced, before))
    codes.set(text.source, before + announced.code)
  }
  return {
    texts: [...codes].map(([source, code]) => ({ source, code })),
    bindings: [...(sites.length > 0 ? ['S', 'X'] : []), ...boundNames(plain, modules, replaced)],
    sites,
    bugs,
    functions: plain.flatMap((text) => text.functions.map((declaration) => declaration.id.name as string)),
  }
}

/** The text of a module, a part for each function, with its constants folded. */
function functionTexts({ module, code, edits }: PlainModule, ofMachine: readonly Edit[]): PassText[] {
  // A constant may have taken the place of an expression that names the CPU in a dead branch.
  const alive = ofMachine.filter(
    (one) => !edits.some((fold) => fold.start <= one.start && one.end <= fold.end),
  )
  const all = [...edits, ...alive]
  const ends = [...module.declared.values()]
    .filter((b) => b.kind === 'function')
    .map((b) => b.node.end as number)
  const bare = blank(
    code,
    module.comments.map(({ start, end }) => [start, end]),
  )
  return PassText.of(module.source, bare)
    .split(ends.slice(0, -1))
    .map((text) => {
      const { offset } = text.origin(0)
      const here = all.filter(({ start }) => start >= offset && start < offset + text.code.length)
      return text.edit(here.map((edit) => ({ ...edit, start: edit.start - offset, end: edit.end - offset })))
    })
}

/** Calls in calls are replaced from the inside out, this many levels. */
const MAX_ROUNDS = 12

/** The texts with calls of small functions replaced by what they do, until nothing changes. */
export function flatten(
  texts: readonly PassText[],
  isPrimitive: (name: string) => boolean,
  roots: readonly string[],
): PassText[] {
  // What a function may do stays what it is, wherever it does it.
  const calls = callsOf(texts, isPrimitive)
  let now = dropUnreached(texts, roots)
  let replaced = 0
  const next = (): number => ++replaced
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = now
    // Helpers first: what they leave is shorter.
    now = expandHelpers(now, calls)
    for (const all of [false, true]) if (isSame(now, before)) now = inlineCalls(now, calls, next, all)
    if (isSame(now, before)) break
    now = dropUnreached(now, roots)
  }
  return now
}

function isSame(texts: readonly PassText[], others: readonly PassText[]): boolean {
  return texts.every((text, index) => text === others[index])
}

/** Functions of the modules that the machine stands for: name -> whether the module exports it. */
function replacedFunctions(modules: readonly PlainModule[], options: StepOptions): Map<string, boolean> {
  const replaced = new Map<string, boolean>()
  for (const { module } of modules)
    if (options.isReplaced(module.source))
      for (const { kind, name } of module.declared.values())
        if (kind === 'function') replaced.set(name, module.exported.has(name))
  return replaced
}

/**
 * Edits that ask the machine which CPU this is. Throws UsageError where kernel code touches memory past the primitives,
 * or calls a function of a replaced module for which the machine has no step.
 */
function machineEdits(module: Module, replaced: ReadonlyMap<string, boolean>): Edit[] {
  const edits: Edit[] = []
  const name = (node: Node): void => {
    if (lookup(module, node.name)?.kind !== 'ambient') return
    if (node.name === 'this_cpu') edits.push({ start: node.start, end: node.end, text: 'smp_processor_id()' })
    else if (node.name === 'memory' || node.name === 'wasm') refuseMemory(module, node)
  }
  for (const binding of module.declared.values())
    if (binding.kind === 'function')
      forEachInside(binding.node, (node) => {
        if (node.type === 'Identifier') name(node)
        else if (node.type === 'MemberExpression') name(node.object)
        else if (node.type === 'CallExpression') {
          const called = calleeName(node)
          if (called === undefined) {
            const { object } = node.callee
            if (object?.name === 'Atomics') refuseMemory(module, node)
            else if (object?.type === 'Identifier') name(object)
          } else if (replaced.has(called) && !PRIMITIVES.has(called) && !MACHINE_FUNCTIONS.has(called))
            refuse(
              module.source,
              node,
              `'${called}' is no step that the stepped machine knows; make it of those of 'mmtorture/kernel'.`,
            )
        }
      })
  return edits
}

function refuseMemory(module: Module, node: Node): never {
  return refuse(
    module.source,
    node,
    'an image with steps touches memory through the primitives of arch/access.ts and #atomic only.',
  )
}

/** Names that the functions of `texts` take from the machine, in the order of their declaration. */
function boundNames(
  texts: readonly PassText[],
  modules: readonly PlainModule[],
  replaced: ReadonlyMap<string, boolean>,
): string[] {
  const used = new Set<string>()
  for (const text of texts)
    for (const declaration of text.functions) {
      const locals = localsOf(declaration)
      forEachInside(declaration, (node) => {
        const name =
          node.type === 'Identifier'
            ? node.name
            : node.type === 'MemberExpression'
              ? node.object.name
              : node.type === 'CallExpression'
                ? calleeName(node)
                : undefined
        if (name !== undefined && !locals.has(name)) used.add(name)
      })
    }
  const ambients = modules.flatMap(({ module }) =>
    [...module.declared.values()]
      .filter((binding) => binding.kind === 'ambient')
      .map((binding) => binding.name),
  )
  return [...ambients, ...MACHINE_FUNCTIONS].filter(
    (name) =>
      used.has(name) && (ambients.includes(name) || replaced.has(name) || name === 'smp_processor_id'),
  )
}
