// The kernels and seeds of a sweep: `--revert`, `--patch`, `--scheduler` and `--seed` take lists, which cross. Leaves
// out the values of `--config`, which cross in a plan (sweepConfig).

/** A word of a list of reverts or patches that stands for the kernel as it is. */
export const NONE = 'none'

/** Options whose values may be lists. */
export interface ListedChoices {
  /** `A,B`: two kernels, one without each; given twice, both are taken out. `none`: nothing is. */
  readonly revert?: readonly string[]
  readonly patch?: readonly string[]
  readonly scheduler?: string
  readonly seed?: readonly number[]
}

/** What a variant has in place of the lists. */
export interface Variant {
  readonly revert?: readonly string[]
  readonly patch?: readonly string[]
  readonly scheduler?: string
  readonly seed?: number
}

/** Every combination, the reverts varying slowest and the seeds fastest; what has no list is left as it is. */
export function variantsOf<T extends ListedChoices>(options: T): (Omit<T, keyof Variant> & Variant)[] {
  const { revert, patch, scheduler, seed, ...rest } = options
  const seeds: (number | undefined)[] = seed === undefined ? [undefined] : [...new Set(seed)]
  const schedulers = scheduler === undefined ? [undefined] : words(scheduler)
  return combinations(revert).flatMap((reverts) =>
    combinations(patch).flatMap((patches) =>
      schedulers.flatMap((name) =>
        seeds.map((number) => ({
          ...rest,
          ...(reverts === undefined ? {} : { revert: reverts }),
          ...(patches === undefined ? {} : { patch: patches }),
          ...(name === undefined ? {} : { scheduler: name }),
          ...(number === undefined ? {} : { seed: number }),
        })),
      ),
    ),
  )
}

/** One of each list, in all ways. */
function combinations(lists: readonly string[] | undefined): (readonly string[] | undefined)[] {
  if (lists === undefined) return [undefined]
  let all: string[][] = [[]]
  for (const list of lists)
    all = all.flatMap((before) => words(list).map((word) => (word === NONE ? before : [...before, word])))
  return all
}

function words(list: string): string[] {
  return [...new Set(list.split(',').map((word) => word.trim()))]
}
