// The places of an image's source where steps are made, and how a check chooses among them: by the function or the
// module in which they stand. A name that the kernel does not have is refused, since a check that goes by it would see
// nothing and say nothing.

/** A place of the kernel's source where steps are made (kbuild's Site). */
export interface StepSite {
  readonly fn: string
  readonly file: string
  readonly line: number
  readonly helper?: string
  readonly primitive?: string
}

export interface WatchedImage {
  readonly sites: readonly StepSite[]
  /** Names of its functions, by which call stacks are recognised. */
  readonly functions: readonly string[]
  /** Names of all functions of the kernel: a check may go by one that this image does without. */
  readonly declared: readonly string[]
}

/** A check at every step goes by a name that the kernel does not have. */
export class MissingName extends Error {
  override readonly name = 'MissingName'
}

/** For names that the watch itself goes by. */
export const EVERY_CHECK = 'every check'

export class Sites {
  /** By a step's site. */
  readonly all: readonly StepSite[]
  readonly #declared: ReadonlySet<string>

  constructor({ sites, declared }: WatchedImage) {
    this.all = sites
    this.#declared = new Set(declared)
  }

  /**
   * The sites whose function or helper is one of `names`, as a table by site: none where this image does without the
   * function. Throws MissingName, with the name of the check, when the kernel has no such function.
   */
  of(check: string, names: readonly string[]): Uint8Array {
    for (const name of names)
      if (!this.#declared.has(name))
        throw new MissingName(`the kernel has no function ${name}, ${goesBy(check)}`)
    return Uint8Array.from(this.all, ({ fn, helper }) =>
      names.includes(fn) || (helper !== undefined && names.includes(helper)) ? 1 : 0,
    )
  }

  /** The sites in a module of the kernel, a file or a folder: `mm/slab`. Throws MissingName when no step is in it. */
  in(check: string, module: string): Uint8Array {
    const path = `src/kernel/${module}`
    const table = Uint8Array.from(this.all, ({ file }) =>
      file === `${path}.ts` || file.startsWith(`${path}/`) ? 1 : 0,
    )
    if (!table.includes(1)) throw new MissingName(`the kernel has no module ${module}, ${goesBy(check)}`)
    return table
  }

  /** `wp_page_copy src/kernel/mm/memory/do_wp_page.ts:123`. */
  where(site: number): string {
    const place = this.all[site]
    if (place === undefined) return `site ${site}`
    return `${place.fn} ${place.file}:${place.line}`
  }
}

function goesBy(check: string): string {
  return check === EVERY_CHECK ? 'by which all checks at every step go' : `by which the check ${check} goes`
}
