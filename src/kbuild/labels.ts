// What tells the rows of a sweep apart: the keys that vary, and whatever else does; and which row the others are
// compared with. Leaves out how rows are printed.
import { basename } from 'node:path'
import { UsageError } from '../base/errors.ts'
import { CONFIG_KEYS, type Configuration } from './config.ts'

/** What a row was made with. */
export interface RowKernel {
  readonly scenario?: string
  readonly config: Configuration
  readonly reverts: readonly string[]
  readonly patches: readonly string[]
  readonly scheduler?: string
  readonly seed: number
}

/** A column of a sweep's table that names its rows. */
export interface RowColumn {
  readonly name: string
  readonly values: readonly string[]
}

/** What names a row: the keys that vary, as `KEY=VALUE`. */
export function rowLabel(config: Configuration, all: readonly Configuration[]): string {
  return varyingKeys(all)
    .map((key) => `${key}=${shown(config[key])}`)
    .join(' ')
}

/** The keys in which `configs` differ. */
export function varyingKeys(configs: readonly Configuration[]): (keyof Configuration)[] {
  return CONFIG_KEYS.map((key) => key.name).filter(
    (name) => new Set(configs.map((config) => config[name])).size > 1,
  )
}

/** What rows of one scenario differ in: keys of the configuration, and the options that are no keys. */
export function rowColumns(rows: readonly RowKernel[]): RowColumn[] {
  const options = {
    revert: (row: RowKernel) => listed(row.reverts),
    patch: (row: RowKernel) => listed(row.patches.map(shown)),
    scheduler: (row: RowKernel) => shown(row.scheduler ?? ''),
    seed: (row: RowKernel) => String(row.seed),
  }
  return [
    ...varyingKeys(rows.map(({ config }) => config)).map((name) => ({
      name,
      values: rows.map(({ config }) => shown(config[name])),
    })),
    ...Object.entries(options).map(([name, valueOf]) => ({ name, values: rows.map((row) => valueOf(row)) })),
  ].filter(({ values }) => new Set(values).size > 1)
}

/** What names each row: its scenario where there are several, and what rows of that differ in, as `NAME=VALUE`. */
export function rowLabels(rows: readonly RowKernel[]): string[] {
  const several = new Set(rows.map(({ scenario }) => scenario)).size > 1
  return rows.map((row) => {
    const alike = rows.filter(({ scenario }) => scenario === row.scenario)
    const own = rowColumns(alike).map(({ name, values }) => `${name}=${values[alike.indexOf(row)]}`)
    return [...(several ? [row.scenario] : []), ...own].join(' ')
  })
}

/**
 * The index of the row that `--baseline TEXT` names by words of its label, the first of several; without a text the
 * first row. Throws UsageError if there is none.
 */
export function baselineOf(labels: readonly string[], text: string | undefined): number {
  if (text === undefined) return 0
  const words = text.split(/\s+/).filter((word) => word !== '')
  const found = labels.findIndex((label) => words.every((word) => label.split(' ').includes(word)))
  if (words.length > 0 && found >= 0) return found
  throw new UsageError(`--baseline ${text}: there is no such row; the rows are ${labels.join(', ')}.`)
}

/** A value as a row shows it: of a path the last name. */
export function shown(value: string | number): string {
  return typeof value === 'string' && value.includes('/') ? basename(value) : String(value)
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join('+')
}
