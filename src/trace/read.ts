// A file of `perf script` text, plain or gzipped -> its events. The whole file is held in memory; a recording of a
// million lines is about 130 MB of text.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { UsageError } from '../base/errors.ts'
import { parseLine } from './parse.ts'
import type { TraceEvent } from './parse.ts'

/**
 * Reads and parses a trace. Whether the file is gzipped is seen from its first bytes, not from its name.
 * @throws UsageError when the file cannot be read, a gzip stream is damaged, a line is malformed, or there is no event
 *   at all
 */
export function readTrace(path: string): TraceEvent[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error'
    throw new UsageError(
      `Cannot read the trace ${path} (${code}); --trace takes a file of perf script text, plain or .gz`,
    )
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes)
    } catch (error) {
      throw new UsageError(
        `${path}: expected a whole gzip stream, got a truncated or damaged one (${(error as Error).message})`,
      )
    }
  }
  return parseTrace(bytes.toString('utf8'), path)
}

/**
 * Parses the text of a whole trace.
 * @param file the name used in messages
 * @throws UsageError `FILE:LINE: expected …, got …`
 */
export function parseTrace(text: string, file: string): TraceEvent[] {
  const events: TraceEvent[] = []
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const event = parseLine(lines[index]!, file, index + 1)
    if (event) events.push(event)
  }
  if (events.length === 0)
    throw new UsageError(`${file}:1: expected events as perf script prints them, got none in the whole file`)
  return events
}
