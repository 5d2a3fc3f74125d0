// What is judged: a page-table-lock design, a spinlock, a scenario or a patch, told apart by what the file exports or
// contains; or a built-in one by name. Leaves out whether it is a whole one: kbuild says that.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { parseSync } from 'oxc-parser'
import { UsageError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { existingFile } from '../base/paths.ts'
import { namedScenarios, type ScenarioFile } from '../catalog/scenarios.ts'
import { CONFIG_KEYS, type ConfigKeyName } from '../kbuild/config.ts'

export type Kind = 'design' | 'spinlock' | 'scenario' | 'patch'

/** A kernel to be judged or compared with: what it takes beside the settings that all have in common. */
export interface Candidate {
  /** As a command line names it. */
  readonly name: string
  readonly kind: Kind
  readonly builtIn: boolean
  /** Absolute path of the user's file; of a design or a spinlock of the package, none. */
  readonly file?: string
  /** `KEY=VALUE` */
  readonly settings: readonly string[]
  /** Paths of unified diffs. */
  readonly patches: readonly string[]
}

/** The key that chooses a design, and a spinlock. */
export const KEY_OF = { design: 'PTLOCK', spinlock: 'SPINLOCK' } as const

/** Names of the built-in designs, or spinlocks. Leaves out the lock that only a stepped machine has. */
export function builtInNames(kind: keyof typeof KEY_OF): string[] {
  return choicesOf(KEY_OF[kind]).filter((name) => name !== 'abstract')
}

/** What all candidates of a kind are compared with: the built-in ones, the default first; for a patch nothing. */
export function builtIns(kind: Kind): Candidate[] {
  if (kind === 'patch') return []
  const of = kind === 'spinlock' ? 'spinlock' : 'design'
  const usual = CONFIG_KEYS.find(({ name }) => name === KEY_OF[of])!.default
  const names = builtInNames(of)
  return [usual, ...names.filter((name) => name !== usual)].map((name) => builtIn(of, name))
}

/**
 * What `text` names. Throws UsageError for a name that there is not, a file that is not there, and one that is none of
 * the four.
 */
export function identify(text: string): Candidate {
  for (const kind of ['design', 'spinlock'] as const)
    if (builtInNames(kind).includes(text)) return builtIn(kind, text)
  const scenario = namedScenarios().find(({ name }) => name === text)
  if (scenario !== undefined) return ofScenario(text, scenario.file, true)
  if (!/[\\/.]/.test(text)) {
    const names = [...builtInNames('design'), ...builtInNames('spinlock'), ...namedScenarios().map(nameOf)]
    throw new UsageError(
      `judge ${text}: there is no such design, spinlock or scenario${didYouMean(text, names)}; ` +
        'expected one of them or a file.',
    )
  }
  const file = existingFile('judge', text)
  const name = relative('', file)
  const kind = kindOf(name, file)
  if (kind === 'scenario') return ofScenario(name, file, false)
  if (kind === 'patch') return { name, kind, builtIn: false, file, settings: [], patches: [file] }
  return { name, kind, builtIn: false, file, settings: [`${KEY_OF[kind]}=${file}`], patches: [] }
}

function builtIn(kind: keyof typeof KEY_OF, name: string): Candidate {
  return { name, kind, builtIn: true, settings: [`${KEY_OF[kind]}=${name}`], patches: [] }
}

function ofScenario(name: string, file: string, isBuiltIn: boolean): Candidate {
  return { name, kind: 'scenario', builtIn: isBuiltIn, file, settings: [], patches: [] }
}

function kindOf(name: string, file: string): Kind {
  const text = readFileSync(file, 'utf8')
  if (!file.endsWith('.ts')) {
    if (/^@@ .* @@/m.test(text)) return 'patch'
    throw new UsageError(`${name}: expected a TypeScript file (.ts) or a patch (a unified diff).`)
  }
  const exported = exportedNames(file, text)
  const has = (what: RegExp): boolean => exported.some((one) => what.test(one))
  if (has(/^(ptlock_|PTLOCK_)/)) return 'design'
  if (has(/^arch_spin_/)) return 'spinlock'
  if (has(/^program$/)) return 'scenario'
  throw new UsageError(
    `${name} exports none of ptlock_init (a page-table-lock design), arch_spin_lock (a spinlock) and ` +
      'program (a scenario).',
  )
}

function exportedNames(file: string, text: string): string[] {
  const { module } = parseSync(file, text, { lang: 'ts', sourceType: 'module' })
  return module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ exportName }) => (exportName.name === null ? [] : [exportName.name])),
  )
}

function choicesOf(name: ConfigKeyName): readonly string[] {
  return CONFIG_KEYS.find((key) => key.name === name)?.choices ?? []
}

function nameOf({ name }: ScenarioFile): string {
  return name
}
