// A module's text on its way through the passes that make a stepped image. Lines stay where they are; which character
// of the source each one comes from is kept beside. Leaves out what the passes change.
import { parseSync } from 'oxc-parser'
import type { Frame } from '../step/site.ts'
import type { Node, Source } from './source.ts'
import { calledIn } from './syntax.ts'

/** Text of a range of `text`, on one line. */
export interface Slice {
  readonly text: PassText
  readonly start: number
  readonly end: number
  /**
   * For the body of a function that is put in place of its call: its name, and from where it is called, innermost
   * first.
   */
  readonly fn?: string
  readonly callers?: readonly Frame[]
}

/** A replacement of the text in [start, end) by a text, or by parts of which some come from elsewhere. */
export interface PassEdit {
  readonly start: number
  readonly end: number
  readonly text: string | readonly (string | Slice)[]
  /** The text stands for a call of this function, at the place that it replaces. */
  readonly helper?: string
}

/** Where a character comes from. */
export interface Origin {
  readonly source: Source
  readonly offset: number
  /** The helper whose text it is: then the place is that of the helper's call. */
  readonly helper?: string | undefined
  /**
   * The function in whose source the place is, if that is not the one in which the text stands now; and its callers.
   */
  readonly fn?: string | undefined
  readonly callers?: readonly Frame[] | undefined
}

/**
 * From `at` on, the text was copied from the source's `offset` on, or (`kept` false) stands as a whole for what is
 * there.
 */
interface Piece extends Origin {
  readonly at: number
  readonly kept: boolean
}

export class PassText {
  readonly source: Source
  readonly code: string
  /** Names that kbuild has given in this text. */
  readonly names: number
  readonly #pieces: readonly Piece[]
  #functions: Node[] | undefined
  #called: ReadonlySet<string> | undefined

  private constructor(source: Source, code: string, pieces: readonly Piece[], names: number) {
    this.source = source
    this.code = code
    this.names = names
    this.#pieces = pieces
  }

  /** The text `code`, in which every character is at the offset that it has in the source. */
  static of(source: Source, code: string): PassText {
    return new PassText(source, code, [{ at: 0, source, offset: 0, kept: true }], 0)
  }

  /** A part of such a text: what a pass does not change need not be read again. */
  static part(source: Source, code: string, start: number, end: number): PassText {
    return new PassText(source, code.slice(start, end), [{ at: 0, source, offset: start, kept: true }], 0)
  }

  /** The functions that the text calls. */
  get called(): ReadonlySet<string> {
    this.#called ??= new Set(this.functions.flatMap((declaration) => [...calledIn(declaration)]))
    return this.#called
  }

  /** The function declarations of the text. */
  get functions(): readonly Node[] {
    this.#functions ??= this.#parse()
    return this.#functions
  }

  /** The text with `edits` made, which do not overlap and hold as many line ends as what they replace. */
  edit(edits: readonly PassEdit[], names: number = this.names): PassText {
    if (edits.length === 0) return this
    const pieces: Piece[] = []
    let code = ''
    let at = 0
    const keep = (end: number): void => {
      if (end <= at) return
      this.#copyPieces(at, end, code.length, pieces)
      code += this.code.slice(at, end)
    }
    for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
      keep(edit.start)
      const origin = this.origin(edit.start)
      const own = { ...origin, helper: origin.helper ?? edit.helper, kept: false }
      for (const part of typeof edit.text === 'string' ? [edit.text] : edit.text) {
        if (typeof part === 'string') pieces.push({ ...own, at: code.length })
        else part.text.#copyPieces(part.start, part.end, code.length, pieces, part)
        code +=
          typeof part === 'string' ? part : part.text.code.slice(part.start, part.end).replace(/\s/g, ' ')
      }
      at = edit.end
    }
    keep(this.code.length)
    return new PassText(this.source, code, pieces, names)
  }

  /** Where the character at `offset` comes from. */
  origin(offset: number): Origin {
    const { at, kept, ...origin } = this.#pieces[this.#pieceAt(offset)]
    return kept ? { ...origin, offset: origin.offset + offset - at } : origin
  }

  /** Adds the pieces of a range to those of a text in which the range begins at `to`. */
  #copyPieces(start: number, end: number, to: number, pieces: Piece[], called?: Slice): void {
    const own = this.#pieces
    for (let index = this.#pieceAt(start); index < own.length && own[index].at < end; index++) {
      // Each field by its name: there are a hundred thousand of them, and a spread takes three times as long.
      const { at, source, offset, helper, fn, callers, kept } = own[index]
      const from = Math.max(at, start)
      pieces.push({
        at: to + from - start,
        source,
        offset: kept ? offset + from - at : offset,
        helper,
        fn: fn ?? called?.fn,
        callers: called?.fn === undefined ? callers : callersIn(callers, called),
        kept,
      })
    }
  }

  /** Index of the last piece that begins at `offset` or before. */
  #pieceAt(offset: number): number {
    let low = 0
    let high = this.#pieces.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#pieces[middle].at <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  #parse(): Node[] {
    if (!this.code.includes('function')) return []
    const { program, errors } = parseSync('image.js', this.code, { sourceType: 'module', lang: 'js' })
    if (errors.length > 0)
      throw new Error(`kbuild made a wrong text of ${this.source.id}: ${errors[0].message}`)
    return (program.body as unknown as Node[]).filter((node) => node.type === 'FunctionDeclaration')
  }
}

/** The callers of what stands in a function's body where the function is called. */
function callersIn(callers: readonly Frame[] | undefined, called: Slice): readonly Frame[] | undefined {
  return callers === undefined ? (called.callers ?? []) : [...callers, ...(called.callers ?? [])]
}
