/** What a campaign and its workers say to one another. Plain data. */
import type { SteppedOptions } from '../machine/stepped/machine.ts'
import type { Subject } from '../explore/attempt.ts'
import type { ExplorerOptions, RoundState, Slice } from '../explore/explorer.ts'
import type { SubjectImage } from '../explore/subject.ts'

/** What a worker hunts. */
export interface SubjectSpec {
  /**
   * URL or absolute path of a module that exports `createSubject: SubjectModule`; none: an image of kbuild, with the
   * kernel's checks.
   */
  readonly module?: string
  readonly image: SubjectImage & { readonly file: string }
  readonly options: SteppedOptions
  /** Names of checks, at every step and at rest, that do not run. */
  readonly off: readonly string[]
}

export type SubjectModule = (spec: SubjectSpec) => Subject | Promise<Subject>

/** What a worker is started with. */
export interface ExplorerSetup {
  readonly subject: SubjectSpec
  readonly options: Omit<ExplorerOptions, 'scheduler' | 'ended'>
  /** A name of the table, or the absolute path of a user's scheduler. */
  readonly scheduler: string
  /** Shared by all: ABORT, LIMIT and ENDED. */
  readonly control: Int32Array
}

/**
 * control[ABORT] not 0: stop. Executions from control[LIMIT] on are not needed. control[ENDED] changes whenever one has
 * ended.
 */
export const ABORT = 0
export const LIMIT = 1
export const ENDED = 2

export type ExplorerTask =
  | {
      readonly do: 'learn'
      /** Date.now() at which what was learned has to do; 0: never. */
      readonly deadline: number
      /** Executions that learn at most. */
      readonly most: number
    }
  | {
      readonly do: 'explore'
      readonly from: number
      readonly to: number
      readonly state: RoundState
      /** Executions that learned. */
      readonly learning: number
      /** Date.now() at which time is up, but for execution 0. */
      readonly deadline: number
    }

/** Errors cross as data: a structured clone loses their class. */
export type ExplorerAnswer =
  | { readonly slice: Slice; readonly scheduler: string }
  | { readonly failed: { readonly usage: boolean; readonly message: string; readonly stack: string } }
