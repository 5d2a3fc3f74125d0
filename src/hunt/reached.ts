// Which lines of the kernel and the scenario took a step in a hunt, of those that have one. A line counts once, however
// many accesses it has. Leaves out lines without an access to shared memory: a hunt cannot tell whether they ran.
import { count, percent } from '../base/text.ts'

/** Of one source file, ascending. */
export interface FileLines {
  /** In executions. */
  readonly reached: readonly number[]
  /** Only by the scenario's setup, which one CPU runs before them. */
  readonly setup: readonly number[]
  readonly unreached: readonly number[]
}

/** By file. */
export type SourceLines = Readonly<Record<string, FileLines>>

/** Lines that took a step in executions, only in setup, and all that could. */
export interface LineCoverage {
  readonly reached: number
  readonly setup: number
  readonly of: number
}

/** The lines of an image: `sites` are its places; `reached` and `setup` name those that took a step, by index. */
export function sourceLines(
  sites: readonly { readonly file: string; readonly line: number }[],
  reached: Iterable<number>,
  setup: Iterable<number>,
): SourceLines {
  const placeOf = (site: number): string => `${sites[site].file}:${sites[site].line}`
  return byFile(
    sites.map(({ file, line }) => [file, line]),
    new Set([...reached].map(placeOf)),
    new Set([...setup].map(placeOf)),
  )
}

/** Lines that any of several hunts reached, of those that any could. */
export function mergeLines(all: readonly SourceLines[]): SourceLines {
  const files = all.flatMap((lines) => Object.entries(lines))
  const placesOf = (kind: keyof FileLines): string[] =>
    files.flatMap(([file, lines]) => lines[kind].map((line) => `${file}:${line}`))
  return byFile(
    files.flatMap(([file, { reached, setup, unreached }]) =>
      [...reached, ...setup, ...unreached].map((line): [string, number] => [file, line]),
    ),
    new Set(placesOf('reached')),
    new Set(placesOf('setup')),
  )
}

/** How many lines of all files, or of those that `counted` chooses. */
export function lineCoverage(
  lines: SourceLines,
  counted: (file: string) => boolean = () => true,
): LineCoverage {
  const files = Object.entries(lines).flatMap(([file, of]) => (counted(file) ? [of] : []))
  const sum = (kind: keyof FileLines): number => files.reduce((total, of) => total + of[kind].length, 0)
  const reached = sum('reached')
  const setup = sum('setup')
  return { reached, setup, of: reached + setup + sum('unreached') }
}

/** By folder of the kernel; what lies outside is the scenario's. */
export function coverageByFolder(lines: SourceLines): Record<string, LineCoverage> {
  const folders = [...new Set(Object.keys(lines).map(folderOf))].toSorted()
  return Object.fromEntries(
    folders.map((folder) => [folder, lineCoverage(lines, (file) => folderOf(file) === folder)]),
  )
}

/** `125 of 718 lines (17 %, 24 % with setup)`. */
export function covered({ reached, setup, of }: LineCoverage): string {
  if (of === 0) return '0 of 0 lines'
  const alone = setup === 0 ? '' : `, ${percent((reached + setup) / of)} with setup`
  return `${count(reached)} of ${count(of)} lines (${percent(reached / of)}${alone})`
}

function folderOf(file: string): string {
  return /^src\/kernel(\/\w+(?=\/))?/.exec(file)?.[0] ?? 'scenario'
}

function byFile(
  places: readonly (readonly [file: string, line: number])[],
  reached: ReadonlySet<string>,
  setup: ReadonlySet<string>,
): SourceLines {
  const files = new Map<string, Set<number>>()
  for (const [file, line] of places) files.set(file, (files.get(file) ?? new Set()).add(line))
  return Object.fromEntries(
    [...files.keys()].toSorted().map((file) => {
      const lines = [...files.get(file)!].toSorted((a, b) => a - b)
      const kindOf = (line: number): keyof FileLines => {
        if (reached.has(`${file}:${line}`)) return 'reached'
        return setup.has(`${file}:${line}`) ? 'setup' : 'unreached'
      }
      const kinds = (kind: keyof FileLines): number[] => lines.filter((line) => kindOf(line) === kind)
      return [file, { reached: kinds('reached'), setup: kinds('setup'), unreached: kinds('unreached') }]
    }),
  )
}
