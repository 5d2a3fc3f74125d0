// The library: `import { hunt, replay, run, scale } from 'mmtorture'`. Options as on the command line, results as plain data, no output and no
// process.exit. The command line is its first user. Leaves out text for people: src/report.
export { UsageError } from './base/errors.ts'
