// What a chosen module must export: a page-table-lock design, a spinlock, a scenario. Leaves out what the functions do.
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { UsageError } from '../base/errors.ts'
import { type Module, allExports } from './modules.ts'
import { type Node, place } from './source.ts'

/** Name -> number of parameters of a function, or 'constant'. 'any': a function of any arity. */
type Requirements = Record<string, number | 'constant' | 'any'>

const REQUIRED: Record<string, { what: string; exports: Requirements }> = {
  '#ptlock': {
    what: 'a page-table-lock design',
    exports: { PTLOCK_WORDS: 'constant', ptlock_init: 1, ptlock_free: 1 },
  },
  '#spinlock': {
    what: 'a spinlock',
    exports: {
      SPINLOCK_WORDS: 'constant',
      arch_spin_lock_init: 1,
      arch_spin_lock: 1,
      arch_spin_trylock: 1,
      arch_spin_unlock: 1,
      arch_spin_is_contended: 1,
    },
  },
  '#scenario': { what: 'a scenario', exports: { setup: 'any', program: 'any' } },
}

/** A part of a page-table-lock design: what a design that has `own` must bring, and what one that has not. */
interface PtlockPart {
  readonly name: string
  readonly own: Requirements
  readonly usual: Requirements
}

const PTLOCK_PARTS: readonly PtlockPart[] = [
  {
    name: 'pte',
    own: {
      ptl_lock: 5,
      ptl_unlock: 5,
      ptl_is_contended: 4,
      ptl_lock_pair: 7,
      ptl_unlock_pair: 7,
      PTL_RANGE: 'constant',
    },
    usual: { pte_lockptr: 2, lock_pair: 2, unlock_pair: 2 },
  },
  { name: 'pmd', own: { ptl_lock_pmd: 2, ptl_unlock_pmd: 2 }, usual: { pmd_lockptr: 2 } },
  { name: 'pud', own: { ptl_lock_pud: 2, ptl_unlock_pud: 2 }, usual: {} },
  { name: 'read', own: { ptl_read_begin: 2, ptl_read_retry: 5, PTL_OPTIMISTIC: 'constant' }, usual: {} },
]

/**
 * Which parts the page-table-lock design in `text` brings itself, by name. What cannot be parsed brings none; that is
 * told when it is linked.
 */
function ownParts(text: string): ReadonlySet<string> {
  const { program } = parseSync('design.ts', text, { sourceType: 'module', lang: 'ts' })
  const exported = new Set(
    (program.body as unknown as Node[])
      .filter(({ type }) => type === 'ExportNamedDeclaration')
      .flatMap(({ declaration, specifiers }) => [
        declaration?.id?.name,
        ...(specifiers as Node[]).map((specifier) => specifier.exported.name),
      ]),
  )
  const own = PTLOCK_PARTS.filter((part) => exported.has(Object.keys(part.own)[0]))
  return new Set(own.map(({ name }) => name))
}

/**
 * Specifier -> absolute path of what a page-table-lock design is linked from: its own file, and for each part that it
 * does not bring the usual one.
 * @param kernel the folder src/kernel
 * @param file the design, whose text is `text`
 */
export function ptlockModules(kernel: string, file: string, text: string): [string, string][] {
  const own = ownParts(text)
  return [
    ['#ptlock', file],
    ...PTLOCK_PARTS.map(({ name }): [string, string] => [
      `#ptlock_${name}`,
      own.has(name) ? file : join(kernel, 'locking', 'ptlock', 'ops', `${name}.ts`),
    ]),
  ]
}

/** What the design in `text` must export, with each part in the form that it has. */
function ptlockRequirements(text: string): Requirements {
  const brings = ownParts(text)
  const parts = PTLOCK_PARTS.map(({ name, own, usual }) => (brings.has(name) ? own : usual))
  return Object.assign({}, REQUIRED['#ptlock'].exports, ...parts) as Requirements
}

/** Most words that a page-table-lock design may want for itself: 512 MiB. */
const MAX_PTLOCK_WORDS = 2 ** 27

/** Throws UsageError when the design in `file` wants a number of words that there cannot be. */
export function checkPtlockWords(file: string, words: number): void {
  if (Number.isInteger(words) && words >= 0 && words <= MAX_PTLOCK_WORDS) return
  throw new UsageError(
    `${file}: PTLOCK_WORDS is ${words}; it must be a whole number of words from 0 to ${MAX_PTLOCK_WORDS} (512 MiB).`,
  )
}

/**
 * Throws UsageError `file:line:column: sentence` when the module chosen for `specifier` lacks an export or has a wrong
 * one.
 */
export function checkDesign(specifier: string, module: Module): void {
  const required = REQUIRED[specifier]
  if (!required) return
  const exports = specifier === '#ptlock' ? ptlockRequirements(module.source.text) : required.exports
  const exported = allExports(module)
  const missing = Object.keys(exports).filter((name) => !exported.has(name))
  if (missing.length > 0)
    throw new UsageError(`${module.source.id}:1:1: ${required.what} must export ${list(missing)}.`)
  for (const [name, expected] of Object.entries(exports)) {
    const binding = exported.get(name)
    if (!binding) continue
    const at = place(binding.module.source, binding.node?.start ?? 0)
    if (expected === 'constant') {
      if (binding.kind !== 'constant') throw new UsageError(`${at}: '${name}' must be a constant number.`)
      continue
    }
    if (binding.kind !== 'function') throw new UsageError(`${at}: '${name}' must be a function.`)
    const given = binding.node.params.length
    if (expected !== 'any' && given !== expected)
      throw new UsageError(
        `${at}: '${name}' must take ${expected} parameter${expected === 1 ? '' : 's'}, not ${given}.`,
      )
  }
}

function list(names: readonly string[]): string {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`
}
