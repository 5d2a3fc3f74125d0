// Makes a stepped or gated image of linked modules: which names are steps, which are the machine's functions, and the
// passes in their order. Leaves out what each pass does: prune.ts, expand.ts, announce.ts, suspend.ts.
import { type BugCalls, bugCalls, type BugOrigins, bugOrigins } from './bug_calls.ts'
import { type AnnouncedKind, announce } from './announce.ts'
import type { Site } from '../step/site.ts'
import { callsOf, expandHelpers } from './expand.ts'
import { factsOf } from './facts.ts'
import { inlineCalls } from './inline.ts'
import { type Memory, remembered } from './memory.ts'
import { type Module, lookup } from './modules.ts'
import { type PassEdit, PassText } from './pass_text.ts'
import { MACHINE_FUNCTIONS, PRIMITIVES } from './primitives.ts'
import { dropUnreached, pruneBranches } from './prune.ts'
import { type Edit, type Node, type Source, refuse } from './source.ts'
import { calleeName, forEachInside } from './syntax.ts'
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
  const pruned = folded.map((text) => remembered(prunedBy, text, '', () => text.edit(pruneBranches(text))))
  const plain = flatten(pruned, isPrimitive, exported)
  const sites: Site[] = []
  const suspended = kind === 'stepped' ? suspendedFunctions(plain, isPrimitive, exported) : new Set<string>()
  const codes = new Map<Source, string>()
  const bugs = new Map<Source, BugOrigins[]>()
  for (const text of plain) {
    const { source } = text
    const announced = announcedText(text, kind, primitives, suspended)
    codes.set(source, (codes.get(source) ?? '') + numbered(announced.code, sites.length))
    bugs.set(source, [...(bugs.get(source) ?? []), announced.bugs])
    sites.push(...announced.sites)
  }
  return {
    texts: [...codes].map(([source, code]) => ({ source, code })),
    bindings: [...(sites.length > 0 ? ['S', 'X'] : []), ...boundNames(plain, modules, replaced)],
    sites,
    bugs: Object.assign(
      {},
      ...[...codes].map(([source, code]) => bugCalls(source, code, bugs.get(source)!.flat())),
    ),
    functions: plain.flatMap((text) => factsOf(text).map(({ name }) => name)),
  }
}

const prunedBy: Memory<PassText> = new WeakMap()

/** A text with its steps announced; its sites are numbered from 0, each number between two marks. */
interface Announced {
  readonly code: string
  readonly sites: readonly Site[]
  readonly bugs: BugOrigins
}

const announcedBy: Memory<Announced> = new WeakMap()
/** A character that no source has. */
const MARK = '\u0001'

function announcedText(
  text: PassText,
  kind: AnnouncedKind,
  primitives: ReadonlyMap<string, number>,
  suspended: ReadonlySet<string>,
): Announced {
  const isPrimitive = (name: string): boolean => primitives.has(name)
  const names = factsOf(text).flatMap(({ name, calls }) => [name, ...calls])
  const key = `${kind} ${names.map((name) => primitives.get(name) ?? suspended.has(name)).join()}`
  return remembered(announcedBy, text, key, () => {
    const sites: Site[] = []
    const edits: PassEdit[] = announce(text, kind, primitives, sites, (site) => `${MARK}${site}${MARK}`)
    edits.push(...suspend(text, isPrimitive, suspended))
    const announced = text.edit(edits)
    return { code: announced.code, sites, bugs: bugOrigins(announced) }
  })
}

/** The text of an announced text whose first site is `first`. */
function numbered(code: string, first: number): string {
  return code
    .split(MARK)
    .map((part, index) => (index % 2 === 0 ? part : Number(part) + first))
    .join('')
}

/** The text of a module, a part for each function, with its constants folded. */
function functionTexts({ module, code, edits }: PlainModule, ofMachine: readonly Edit[]): PassText[] {
  // A constant may have taken the place of an expression that names the CPU in a dead branch.
  const alive = ofMachine.filter(
    (one) => !edits.some((fold) => fold.start <= one.start && one.end <= fold.end),
  )
  const all = [...edits, ...alive].toSorted((left, right) => left.start - right.start)
  const ends = [...module.declared.values()]
    .filter((b) => b.kind === 'function')
    .map((b) => b.node.end as number)
  const bare = blank(
    code,
    module.comments.map(({ start, end }) => [start, end]),
  )
  let known = textsOf.get(module.source)
  if (!known) textsOf.set(module.source, (known = new Map()))
  if (known.size > VARIANTS * ends.length) known.clear()
  const texts = known
  let next = 0
  return [0, ...ends.slice(0, -1)].map((offset, index, starts) => {
    const end = starts[index + 1] ?? bare.length
    const here: Edit[] = []
    for (; next < all.length && all[next].start < end; next++) here.push(all[next])
    const key =
      `${offset} ${bare.slice(offset, end)} ` +
      `${here.map((edit) => `${edit.start}-${edit.end}:${edit.text}`).join()}`
    let text = texts.get(key)
    if (!text) {
      const moved = here.map((edit) => ({ ...edit, start: edit.start - offset, end: edit.end - offset }))
      text = PassText.part(module.source, bare, offset, end).edit(moved)
      texts.set(key, text)
    }
    return text
  })
}

/** Texts of a source's functions, by what was folded in them: configurations differ in few. */
const textsOf = new WeakMap<Source, Map<string, PassText>>()
/** Of each function, at most. */
const VARIANTS = 8

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
  const image = { replaced: 0 }
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = now
    // Helpers first: what they leave is shorter.
    now = expandHelpers(now, calls)
    for (const all of [false, true]) if (isSame(now, before)) now = inlineCalls(now, calls, image, all)
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
  for (const text of texts) for (const { names } of factsOf(text)) for (const name of names) used.add(name)
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
