// Options that a program passes, checked against a schema: the library's counterpart of the command line's parsers.
import * as v from 'valibot'
import { type Bounds, expectedInteger } from './bounds.ts'
import { UsageError } from './errors.ts'
import { didYouMean } from './nearest.ts'

/** An integer within `bounds`. */
export function integer(bounds: Bounds) {
  const [min, max] = bounds
  const message = `expected ${expectedInteger(bounds)}`
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message))
}

/**
 * `options` if they keep to `schema`. Throws UsageError, which names the key and what would be right there.
 * @param what the function that was called: `hunt`
 */
export function qualify<T extends v.ObjectEntries>(
  what: string,
  schema: v.StrictObjectSchema<T, undefined>,
  options: object,
): void {
  const result = v.safeParse(schema, options)
  if (result.success) return
  const [issue] = result.issues
  const key = v.getDotPath(issue) ?? ''
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = Object.keys(schema.entries)
    throw new UsageError(
      `${what}(): there is no option ${key}${didYouMean(key, known)}; there are ${known.join(', ')}.`,
    )
  }
  throw new UsageError(`${what}(): ${key === '' ? 'the options' : key}: ${lowerFirst(issue.message)}.`)
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
