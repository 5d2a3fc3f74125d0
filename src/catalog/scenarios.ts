// Scenarios by name: the files of the package's scenarios folder, each described by the first sentence of its head
// comment; or a user's file by path. Leaves out reading the programs: kbuild does.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { didYouMean } from '../base/nearest.ts'
import { packageRoot } from '../base/root.ts'
import { existingFile } from '../base/paths.ts'
import { UsageError } from '../base/errors.ts'

export interface ScenarioFile {
  readonly name: string
  /** Absolute path. */
  readonly file: string
}

export const DEFAULT_SCENARIO = 'fork-storm'
/** What `--trace` runs: it needs a recording, so it cannot be chosen by name. */
export const TRACE_SCENARIO = 'trace-replay'

/** The package's scenarios, the default first, then by name. */
export function builtInScenarios(root: string = packageRoot()): ScenarioFile[] {
  let files: string[] = []
  try {
    files = readdirSync(join(root, 'scenarios'))
  } catch {
    return []
  }
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => ({ name: basename(file, '.ts'), file: join(root, 'scenarios', file) }))
    .toSorted((left, right) => rank(left.name) - rank(right.name) || (left.name < right.name ? -1 : 1))
}

/** Those that can be chosen by name: all but the one that replays a recording. */
export function namedScenarios(root: string = packageRoot()): ScenarioFile[] {
  return builtInScenarios(root).filter(({ name }) => name !== TRACE_SCENARIO)
}

/**
 * The scenario that `text` names: a built-in one, or a path of a TypeScript file. Throws UsageError if there is none.
 */
export function findScenario(text: string, root: string = packageRoot()): ScenarioFile {
  const known = namedScenarios(root)
  const found = known.find((scenario) => scenario.name === text)
  if (found) return found
  if (text === TRACE_SCENARIO)
    throw new UsageError(`${TRACE_SCENARIO} replays a recording: give it with --trace FILE.`)
  if (/[\\/]/.test(text) || text.endsWith('.ts')) {
    const file = existingFile('scenario', text)
    if (!file.endsWith('.ts')) throw new UsageError(`scenario ${text}: expected a TypeScript file (.ts).`)
    return { name: basename(file, '.ts'), file }
  }
  const names = known.map((scenario) => scenario.name)
  const hint = didYouMean(text, names)
  throw new UsageError(
    `there is no scenario ${text}${hint}; the scenarios are ${names.join(', ')}, or give the path of ` +
      'your own .ts file.',
  )
}

/**
 * The scenario `name`, `initial` without one, or the replay of the recording `trace`, whose absolute path comes along.
 * Throws UsageError.
 */
export function scenarioOrTrace(
  name: string | undefined,
  trace: string | undefined,
  initial: string,
): { readonly scenario: ScenarioFile; readonly trace?: string } {
  if (trace === undefined) return { scenario: findScenario(name ?? initial) }
  if (name !== undefined)
    throw new UsageError(`--trace replays a recording and takes no scenario, so ${name} is one too many.`)
  const file = join(packageRoot(), 'scenarios', `${TRACE_SCENARIO}.ts`)
  return { scenario: { name: TRACE_SCENARIO, file }, trace: existingFile('--trace', trace) }
}

/** A scenario of the package by its name, another by its path from here. */
export function scenarioLabel(scenario: ScenarioFile): string {
  return dirname(scenario.file) === join(packageRoot(), 'scenarios')
    ? scenario.name
    : relative('', scenario.file)
}

const HEAD_COMMENT = /^\s*(?:\/\*\*?([\s\S]*?)\*\/|((?:\/\/.*\n?)+))/

/** First sentence of the comment that a source file begins with; empty if it has none. */
export function firstSentence(source: string): string {
  const text = headComment(source).join(' ').trim()
  return (/^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text).trim()
}

/**
 * The settings (KEY=VALUE) that a scenario asks for in its head comment: `@config SWAP=y MEMORY=16M`. Throws UsageError
 * for such a line elsewhere, which would ask for nothing.
 */
export function scenarioSettings(scenario: ScenarioFile): string[] {
  const source = readFileSync(scenario.file, 'utf8')
  refuseMisplaced(source, scenario)
  return headComment(source)
    .filter((line) => line.startsWith('@config '))
    .flatMap((line) => line.split(/\s+/).slice(1))
}

/** Throws UsageError for an `@config`, `@form` or the like that stands in another comment than the first. */
function refuseMisplaced(source: string, scenario: ScenarioFile): void {
  const first = HEAD_COMMENT.exec(source)?.[0] ?? ''
  const lines = source.split('\n')
  const begin = first.split('\n').length - (first.endsWith('\n') ? 1 : 0)
  for (let index = begin; index < lines.length; index++) {
    const tag = /^\s*(?:\/\*+|\*|\/\/)\s*(@(?:config|form|reaches|expects))\s/.exec(lines[index])?.[1]
    if (tag !== undefined)
      throw new UsageError(
        `${scenarioLabel(scenario)}:${index + 1}: ${tag} belongs to the comment that the file begins ` +
          'with, before its imports.',
      )
  }
}

/** The lines of the comment that a source file begins with, without what makes them a comment. */
export function headComment(source: string): string[] {
  const head = HEAD_COMMENT.exec(source)
  if (head === null) return []
  return (head[1] ?? head[2]).split('\n').map((line) => line.replace(/^\s*(\*|\/\/)\s?/, '').trim())
}

/** The one-line description of a scenario. */
export function describeScenario(scenario: ScenarioFile): string {
  return firstSentence(readFileSync(scenario.file, 'utf8'))
}

function rank(name: string): number {
  return name === DEFAULT_SCENARIO ? 0 : 1
}
