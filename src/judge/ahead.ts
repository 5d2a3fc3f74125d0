// Builds the kernels of the hunts to come while one is at work: on another core, into the cache of images, so that
// breadth does not wait for kbuild. Leaves out what goes wrong in a build: the hunt says that.
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { packageRoot } from '../base/root.ts'
import type { Configuration } from '../kbuild/config.ts'

/** An image of a hunt. */
export interface AheadRequest {
  readonly config: Configuration
  /** Absolute path. */
  readonly scenario: string
  readonly patches: readonly string[]
}

/** What the thread is started with. */
export interface AheadSetup {
  readonly requests: readonly AheadRequest[]
  /** position[0]: how many of the requests need not be built any more. */
  readonly position: Int32Array
}

export class BuildAhead {
  readonly #position = new Int32Array(new SharedArrayBuffer(4))
  readonly #count: number
  readonly #ended: Promise<unknown>

  /**
   * @param workers threads that hunt meanwhile: without a core beside them nothing is built ahead
   */
  constructor(requests: readonly AheadRequest[], workers: number) {
    this.#count = requests.length
    if (requests.length < 2 || availableParallelism() <= workers) {
      this.#ended = Promise.resolve()
      return
    }
    const workerData: AheadSetup = { requests, position: this.#position }
    const worker = new Worker(join(packageRoot(), 'dist', 'workers', 'builder.js'), { workerData })
    worker.on('error', () => {})
    this.#ended = once(worker, 'exit')
  }

  /** Request number `index` is being built by the hunt itself. */
  reached(index: number): void {
    this.#position[0] = Math.max(this.#position[0], index + 1)
  }

  /** Resolves when the thread has come to the end of the image that it is at. */
  async stop(): Promise<void> {
    this.#position[0] = this.#count
    await this.#ended
  }
}
