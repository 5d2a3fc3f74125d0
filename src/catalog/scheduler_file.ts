// `--scheduler NAME|FILE`: a scheduler of the table, or a user's own: a module whose default export is a Scheduler or
// makes one. What it throws, and what it answers that is no answer, becomes a UsageError with its file and line.
import { existsSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nearest } from '../base/nearest.ts'
import { Violation } from '../step/observer.ts'
import type { Scheduler } from '../step/scheduler.ts'
import { SCHEDULERS } from '../explore/schedulers/index.ts'
import type { SchedulerEntry, SchedulerOptions } from '../explore/schedulers/scheduler.ts'
import { UsageError } from '../base/errors.ts'

/**
 * The scheduler called `name`, or the one in the file of that path. Throws UsageError if there is neither, and for a
 * module that does not load or exports no scheduler.
 */
export async function loadScheduler(name: string): Promise<SchedulerEntry> {
  const known = SCHEDULERS.find((entry) => entry.name === name)
  if (known !== undefined) return known
  if (!/[/\\]|\.[cm]?[jt]s$/.test(name)) {
    const names = SCHEDULERS.map((entry) => entry.name)
    const close = nearest(name, names)
    const hint = close === undefined ? '' : ` Did you mean ${close}?`
    throw new UsageError(
      `there is no scheduler ${name}; expected ${names.join(', ')} or the path of a module.${hint}`,
    )
  }
  const path = resolve(name)
  if (!existsSync(path)) throw new UsageError(`--scheduler ${name}: there is no such file.`)
  const made = await importDefault(path)
  const create = (options: SchedulerOptions): Scheduler => guard(path, makeScheduler(path, made, options))
  // Its options are not known yet; what is wrong with the module itself shows at once.
  const sample = makeScheduler(path, made, { cpus: 2, profile: { points: [], choices: 1, shares: [] } })
  return {
    name: sample.name,
    description: `the scheduler in ${shown(path)}`,
    ...(sample.end === undefined ? {} : { sequential: true }),
    create,
  }
}

async function importDefault(path: string): Promise<unknown> {
  const url = pathToFileURL(path).href
  let module: { default?: unknown }
  try {
    if (/\.[cm]?ts$/.test(path)) {
      const { stripTypes } = await import('../kbuild/strip.ts')
      const text = readFileSync(path, 'utf8')
      const code = absoluteImports(stripTypes({ path, id: shown(path), text, patched: false }), path, url)
      module = (await import(
        `data:text/javascript,${encodeURIComponent(`${code}\n//# sourceURL=${url}`)}`
      )) as object
    } else module = (await import(url)) as object
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw failed(path, 'did not load', error)
  }
  return module.default
}

/** A module without a place of its own cannot import by relative paths. */
function absoluteImports(code: string, path: string, url: string): string {
  return code.replaceAll(/\bfrom\s*(['"])(\.[^'"]*)\1/g, (_all, _quote, specifier: string) => {
    if (/\.[cm]?ts$/.test(specifier))
      throw new UsageError(
        `${shown(path)} imports ${specifier}: a scheduler in TypeScript is one file, and imports ` +
          'types (import type) or JavaScript.',
      )
    return `from '${new URL(specifier, url).href}'`
  })
}

function makeScheduler(path: string, made: unknown, options: SchedulerOptions): Scheduler {
  let scheduler: unknown = made
  if (typeof made === 'function')
    try {
      const isClass = /^class\b/.test(Function.prototype.toString.call(made))
      scheduler = isClass
        ? new (made as new (options: SchedulerOptions) => unknown)(options)
        : (made as (options: SchedulerOptions) => unknown)(options)
    } catch (error) {
      throw failed(path, 'threw when it was made', error)
    }
  if (!isScheduler(scheduler))
    throw new UsageError(
      `${shown(path)}: the default export is no scheduler; expected an object with name, begin() and ` +
        'next(), or a function or class that makes one.',
    )
  return scheduler
}

function isScheduler(value: unknown): value is Scheduler {
  if (typeof value !== 'object' || value === null) return false
  const { name, begin, next, end } = value as Partial<Record<keyof Scheduler, unknown>>
  const methods = typeof begin === 'function' && typeof next === 'function'
  return typeof name === 'string' && methods && (end === undefined || typeof end === 'function')
}

/** The scheduler, with its mistakes named. */
function guard(path: string, scheduler: Scheduler): Scheduler {
  const { name } = scheduler
  const during = <T>(method: string, call: () => T): T => {
    try {
      return call()
    } catch (error) {
      if (error instanceof Violation) throw error
      throw failed(path, `threw in ${method}()`, error)
    }
  }
  return {
    name,
    begin: (execution, random, pending) => during('begin', () => scheduler.begin(execution, random, pending)),
    next(runnable, n, current) {
      const next: unknown = during('next', () => scheduler.next(runnable, n, current))
      for (let i = 0; i < n; i++) if (runnable[i] === next) return runnable[i]
      const choices = [...runnable.subarray(0, n)].join(', ')
      throw new UsageError(
        `${shown(path)}: next() of the scheduler ${name} returned ${String(next)}; expected one of ${choices}.`,
      )
    },
    ...(scheduler.end === undefined ? {} : { end: () => during('end', () => scheduler.end!()) }),
  }
}

function failed(path: string, what: string, error: unknown): UsageError {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  // A debugger's or test runner's hooks may show the data: URL that a TypeScript module was loaded by.
  const names = [path, pathToFileURL(path).href, 'data:text/javascript,']
  const frame = stack
    .split('\n')
    .find((line) => /^\s+at /.test(line) && names.some((name) => line.includes(name)))
  const at = /:(\d+):\d+\)?$/.exec(frame ?? '')
  const where = at === null ? shown(path) : `${shown(path)}:${at[1]}`
  return new UsageError(`${where}: the scheduler ${what}: ${message.replaceAll('\n', ' ')}`)
}

function shown(path: string): string {
  const near = relative('', path)
  return near.startsWith('..') ? path : near
}
