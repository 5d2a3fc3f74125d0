// What a chosen module must export: a page-table-lock design, a spinlock, a scenario. Leaves out what the functions do.
import { parseSync } from 'oxc-parser'
import { UsageError } from '../base/errors.ts'
import { type Module, allExports } from './modules.ts'
import { type Node, place } from './source.ts'

/** Name -> number of parameters of a function, or 'constant'. 'any': a function of any arity. */
type Requirements = Record<string, number | 'constant' | 'any'>

/** What every page-table-lock design has. */
const PTLOCK: Requirements = { PTLOCK_WORDS: 'constant', ptlock_init: 1, ptlock_free: 1 }

const REQUIRED: Record<string, { what: string; exports: Requirements }> = {
  '#ptlock': {
    what: 'a page-table-lock design',
    exports: { ...PTLOCK, pte_lockptr: 2, pmd_lockptr: 2, lock_pair: 2, unlock_pair: 2 },
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

/** A design that takes and drops its locks itself. */
const OWN_LOCKS = {
  what: 'a page-table-lock design with locks of its own kind',
  exports: {
    ...PTLOCK,
    PTL_RANGE: 'constant',
    PTL_OPTIMISTIC: 'constant',
    ptl_lock: 5,
    ptl_unlock: 5,
    ptl_is_contended: 4,
    ptl_lock_pair: 7,
    ptl_unlock_pair: 7,
    ptl_lock_pmd: 2,
    ptl_unlock_pmd: 2,
    ptl_lock_pud: 2,
    ptl_unlock_pud: 2,
    ptl_read_begin: 2,
    ptl_read_retry: 5,
  } satisfies Requirements,
}

/**
 * Whether the design in `text` takes and drops its locks itself (ptl_lock and its kin) instead of naming a spinlock for
 * each table. What cannot be parsed does not; that is told when it is linked.
 */
export function bringsOps(text: string): boolean {
  const { program } = parseSync('design.ts', text, { sourceType: 'module', lang: 'ts' })
  return (program.body as unknown as Node[]).some(
    (statement) =>
      statement.type === 'ExportNamedDeclaration' &&
      (statement.declaration?.id?.name === 'ptl_lock' ||
        (statement.specifiers as Node[]).some(({ exported }) => exported.name === 'ptl_lock')),
  )
}

/**
 * Throws UsageError `file:line:column: sentence` when the module chosen for `specifier` lacks an export or has a wrong
 * one.
 */
export function checkDesign(specifier: string, module: Module): void {
  const ops = specifier === '#ptlock' && bringsOps(module.source.text)
  const required = ops ? OWN_LOCKS : REQUIRED[specifier]
  if (!required) return
  const exported = allExports(module)
  const missing = Object.keys(required.exports).filter((name) => !exported.has(name))
  if (missing.length > 0)
    throw new UsageError(`${module.source.id}:1:1: ${required.what} must export ${list(missing)}.`)
  for (const [name, expected] of Object.entries(required.exports)) {
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
