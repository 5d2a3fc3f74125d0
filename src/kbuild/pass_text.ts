// A module's text on its way through the passes that make a stepped image. Lines stay where they are; which character of the
// source each one comes from is kept beside. Leaves out what the passes change.
import { parseSync } from 'oxc-parser'
import type { Edit, Node, Source } from './source.ts'
import { blank } from './types.ts'

/** An edit whose text stands for a call of `helper`, at the place that it replaces. */
export interface PassEdit extends Edit {
  readonly helper?: string
}

/** Where a character comes from: an offset in the source, and the helper whose text it is, if it is not the source's own. */
export interface Origin {
  readonly offset: number
  readonly helper?: string
}

/** From `at` on, the text was copied from the source's `from` on, or (`kept` false) stands as a whole for what is there. */
interface Piece {
  readonly at: number
  readonly from: number
  readonly kept: boolean
  readonly helper?: string
}

export class PassText {
  readonly source: Source
  readonly code: string
  readonly #pieces: readonly Piece[]
  #functions: Node[] | undefined

  private constructor(source: Source, code: string, pieces: readonly Piece[]) {
    this.source = source
    this.code = code
    this.#pieces = pieces
  }

  /** The text `code`, in which every character is at the offset that it has in the source; comments are blanked. */
  static of(source: Source, code: string): PassText {
    const { comments } = parseSync(source.path, source.text, { sourceType: 'module', lang: 'ts' })
    const without = blank(
      code,
      comments.map((comment) => [comment.start, comment.end]),
    )
    return new PassText(source, without, [{ at: 0, from: 0, kept: true }])
  }

  /** The function declarations of the text. */
  get functions(): readonly Node[] {
    this.#functions ??= this.#parse()
    return this.#functions
  }

  /** The text with `edits` made, which do not overlap and hold as many line ends as what they replace. */
  edit(edits: readonly PassEdit[]): PassText {
    if (edits.length === 0) return this
    const pieces: Piece[] = []
    let code = ''
    let at = 0
    const keep = (end: number): void => {
      if (end <= at) return
      for (let index = this.#pieceAt(at); index < this.#pieces.length && this.#pieces[index].at < end; index++) {
        const piece = this.#pieces[index]
        const start = Math.max(piece.at, at)
        pieces.push({
          ...piece,
          at: code.length + start - at,
          from: piece.kept ? piece.from + start - piece.at : piece.from,
        })
      }
      code += this.code.slice(at, end)
    }
    for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
      keep(edit.start)
      const { offset, helper } = this.origin(edit.start)
      pieces.push({ at: code.length, from: offset, kept: false, helper: helper ?? edit.helper })
      code += edit.text
      at = edit.end
    }
    keep(this.code.length)
    return new PassText(this.source, code, pieces)
  }

  /** Where the character at `offset` comes from. */
  origin(offset: number): Origin {
    const piece = this.#pieces[this.#pieceAt(offset)]
    return { offset: piece.kept ? piece.from + offset - piece.at : piece.from, helper: piece.helper }
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
    const { program, errors } = parseSync('image.js', this.code, { sourceType: 'module', lang: 'js' })
    if (errors.length > 0) throw new Error(`kbuild made a wrong text of ${this.source.id}: ${errors[0].message}`)
    return (program.body as unknown as Node[]).filter((node) => node.type === 'FunctionDeclaration')
  }
}
