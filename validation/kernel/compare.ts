// Whether the machine's kernel and the model agree about a sequence of calls, and the shortest part of it about which
// they do not.
import { type Call, CALL_NAMES, isWhole } from './calls.ts'
import type { Outcomes } from './outcome.ts'

export interface Disagreement {
  /** The call whose outcome differs; undefined: only the mappings in the end do. */
  readonly call: number | undefined
  readonly text: string
}

/** What differs first; undefined: nothing. */
export function disagreement(
  calls: readonly Call[],
  real: Outcomes,
  model: Outcomes,
): Disagreement | undefined {
  const call = calls.findIndex((_, i) => text(real.calls[i]) !== text(model.calls[i]))
  if (call >= 0) {
    const { process, kind, args } = calls[call]
    const what = `call ${call}, process ${process}: ${CALL_NAMES[kind]} ${args.join(' ')}`
    return {
      call,
      text: `${what}: the kernel ${text(real.calls[call])}, the model ${text(model.calls[call])}`,
    }
  }
  const [ours, theirs] = [model.mappings.map(text), real.mappings.map(text)]
  const missing = theirs.find((one) => !ours.includes(one))
  const wrong = ours.find((one) => !theirs.includes(one))
  if (missing === undefined && wrong === undefined) return undefined
  return {
    call: undefined,
    text: `in the end: the kernel ${missing ?? 'nothing'}, the model ${wrong ?? 'nothing'}`,
  }
}

function text(value: unknown): string {
  return JSON.stringify(value)
}

/** Leaves out calls as long as `differs` holds for the rest. */
export function shrinkCalls(calls: readonly Call[], differs: (calls: readonly Call[]) => boolean): Call[] {
  let kept = [...calls]
  for (let again = true; again;) {
    again = false
    for (let index = kept.length - 1; index >= 0; index--) {
      const fewer = kept.toSpliced(index, 1)
      if (!isWhole(fewer) || !differs(fewer)) continue
      kept = fewer
      again = true
    }
  }
  return kept
}
