// What tells the configurations of a sweep apart: the keys that vary.
import { basename } from 'node:path'
import { CONFIG_KEYS, type Configuration } from './config.ts'

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

/** A value as a row shows it: of a path the last name. */
export function shown(value: string | number): string {
  return typeof value === 'string' && value.includes('/') ? basename(value) : String(value)
}
