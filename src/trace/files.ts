// The files and shared memory objects of a trace. Which file a descriptor stands for is not recorded: callers tell
// files apart by keys.
import type { TraceFile } from './operations.ts'

export class Files {
  readonly all: TraceFile[] = []
  #ids = new Map<string, number>()

  /** The file of this key (index in `all`), a new one when the key is new. */
  id(key: string, shmem = false): number {
    let id = this.#ids.get(key)
    if (id === undefined) {
      id = this.all.length
      this.#ids.set(key, id)
      this.all.push({ pages: 0, shmem })
    }
    return id
  }

  /** Makes a file hold at least this many pages; -1 is no file. */
  grow(file: number, pages: number): void {
    if (file >= 0) this.all[file]!.pages = Math.max(this.all[file]!.pages, pages)
  }
}
