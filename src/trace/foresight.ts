// Looks ahead in the recorded events: which return belongs to which entry, and where the image of an exec begins.
import type { EnterEvent, ExecEvent, ReturnEvent, TraceEvent } from './parse.ts'

/** What needs the future. */
export interface Foresight {
  /** The return of each entry that has one. */
  returnOf: Map<EnterEvent, ReturnEvent>
  /** The event at which an exec's new image begins: the first elf_load fault before it, else the exec itself. */
  execAt: Map<TraceEvent, ExecEvent>
}

/** Pairs entries with returns and finds the true beginning of every exec. */
export function foresee(events: TraceEvent[]): Foresight {
  const returnOf = new Map<EnterEvent, ReturnEvent>()
  const execAt = new Map<TraceEvent, ExecEvent>()
  const entered = new Map<number, EnterEvent>()
  const imageBegun = new Map<number, TraceEvent>()
  for (const event of events) {
    switch (event.type) {
      case 'enter':
        entered.set(event.tid, event)
        break
      case 'return': {
        const enter = entered.get(event.tid)
        if (enter && enter.call === event.call) returnOf.set(enter, event)
        entered.delete(event.tid)
        break
      }
      case 'fault':
        if (!event.kernel) imageBegun.delete(event.tid)
        else if (/^elf_load\b/.test(event.ip) && !imageBegun.has(event.tid)) imageBegun.set(event.tid, event)
        break
      case 'exec':
        execAt.set(imageBegun.get(event.tid) ?? event, event)
        imageBegun.delete(event.tid)
        entered.delete(event.tid)
        break
      case 'clone':
        imageBegun.delete(event.child)
        entered.delete(event.child)
        break
      default:
    }
  }
  return { returnOf, execAt }
}
