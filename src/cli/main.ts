#!/usr/bin/env node
// The command line: parses it, runs a command, and turns its end into an exit status: 0 held, 1 violated, 2 usage or
// configuration error, 3 internal error, 130 interrupted. Commands are loaded when they are called. Leaves out what
// they do.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { packageRoot } from '../base/root.ts'
import {
  collect,
  parseBudget,
  parseCpuList,
  parseCpus,
  parseInteger,
  parseSeconds,
  parseSeeds,
  parseSimulatedTime,
  separateJson,
} from './arguments.ts'
import { expandHome } from '../base/paths.ts'
import { UsageError } from '../base/errors.ts'
import type { HuntArguments } from './commands/hunt.ts'
import type { JudgeArguments } from './commands/judge.ts'
import type { ReplayArguments } from './commands/replay.ts'
import type { RunArguments } from './commands/run.ts'
import type { ScaleArguments } from './commands/scale.ts'

/** Options that run, hunt and scale have in common. */
const REVERT = 'take a fix out: mmtorture list reverts; ID,ID or none,ID makes a sweep (repeatable: both)'
const PATCH = 'apply a unified diff to the kernel first; FILE,FILE makes a sweep (repeatable: both)'
const BASELINE =
  'the row of a sweep that the others are compared with, such as PTLOCK=pmd (default: the first)'
const CSV = 'print the rows as comma-separated values, or write them to a file (--csv=FILE)'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let status = 0
  const program = new Command('mmtorture')
    .description('a multithreaded SMP model of Linux memory management')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
  program
    .command('run')
    .description('run a scenario on real worker threads')
    .argument(
      '[scenario]',
      "a scenario's name (mmtorture list scenarios) or the path of your own file (default fork-storm)",
    )
    .option('--cpus <n>', 'number of CPUs, 1 to 64 (default: the cores of this machine, 2 to 4)', parseCpus)
    .option(
      '--seconds <s>',
      'length of the measured window (default 3; a recording: to its end)',
      parseSeconds,
    )
    .option('--seed <n>', "seed of the scenario's random numbers, or several: 1,2,3 (default 1)", parseSeeds)
    .option('--config <KEY=VALUE>', 'configuration; VALUE,VALUE… makes a sweep (repeatable)', collect)
    .option('--revert <id>', REVERT, collect)
    .option('--patch <file>', PATCH, collect)
    .option(
      '--repeat <n>',
      'runs of each row of a sweep, interleaved; the median counts (default 1)',
      parseInteger('run', 'repeat'),
    )
    .option('--baseline <row>', BASELINE)
    .option('--csv [file]', CSV, expandHome)
    .option('--trace <file>', 'replay a recording, text of perf script, plain or gzipped')
    .option('--json [file]', 'print the report as JSON, or write it to a file (--json=FILE)', expandHome)
    .option('--out <dir>', 'write the report as run.txt and run.json into a folder', expandHome)
    .action(async (scenario: string | undefined, options: RunArguments) => {
      const { runCommand } = await import('./commands/run.ts')
      status = await runCommand(scenario, options, interruptSignal())
    })
  const off: string[] = []
  program
    .command('hunt')
    .description('explore interleavings of a scenario, stepped, until a check fails')
    .argument(
      '[scenarios...]',
      'names or paths of scenarios; without one the scenario that a revert names, or same-page',
    )
    .option('--cpus <n>', "number of CPUs, 1 to 64 (default: the scenario's, or 2)", parseCpus)
    .option('--seconds <s>', 'end after so long (default 20; none with --executions)', parseSeconds)
    .option(
      '--executions <n>',
      'end after so many executions (default: none)',
      parseInteger('hunt', 'executions'),
    )
    .option(
      '--seed <n>',
      'seed: equal seeds find equal violations; or several: 1,2,3 (default 1)',
      parseSeeds,
    )
    .option(
      '--operations <n>',
      "operations of each task (default: the scenario's, or 2)",
      parseInteger('hunt', 'operations'),
    )
    .option('--pages <n>', 'pages of the scenario (default: its own, or 3)', parseInteger('hunt', 'pages'))
    .option('--config <KEY=VALUE>', 'configuration; VALUE,VALUE… makes a sweep (repeatable)', collect)
    .option('--revert <id>', REVERT, collect)
    .option('--patch <file>', PATCH, collect)
    .option('--baseline <row>', BASELINE)
    .option('--csv [file]', CSV, expandHome)
    .option(
      '--scheduler <name>',
      'mmtorture list schedulers, or the path of your own file, or several: A,B (default portfolio)',
    )
    .option('--depth <n>', 'pct: ordering constraints of the bug (default 3)', parseInteger('hunt', 'depth'))
    .option(
      '--preemptions <k>',
      'dfs: preemptions of a schedule (default 2)',
      parseInteger('hunt', 'preemptions'),
    )
    .option('--check <name>', 'run only this check, steps or rest (repeatable)', collect)
    .option(
      '--no-check <name>',
      'leave this check, steps or rest out (repeatable)',
      (name, earlier: undefined) => {
        off.push(name)
        return earlier
      },
    )
    .option(
      '--step-limit <n>',
      'steps without the end of a turn that are a livelock (default 20000, or more with --cpus and --pages)',
      parseInteger('hunt', 'stepLimit'),
    )
    .option('--workers <n>', 'worker threads (default 1)', parseInteger('hunt', 'workers'))
    .option('--keep-going', 'go on after a violation and count the distinct ones')
    .option('--determinism-check', 'run each execution twice and compare')
    .option('--verbose', 'every step of the interleaving')
    .option('--json [file]', 'print the report as JSON, or write it to a file (--json=FILE)', expandHome)
    .option(
      '--out <dir>',
      'folder of replay files, hunt.txt and hunt.json (default: replay files in mmtorture-out)',
      expandHome,
    )
    .action(async (scenarios: string[], options: HuntArguments) => {
      const { huntCommandLine } = await import('./commands/hunt.ts')
      // --no-check alone leaves no list of --check.
      const check = Array.isArray(options.check) ? options.check : []
      status = await huntCommandLine(scenarios, { ...options, check, off }, interruptSignal())
    })
  program
    .command('replay')
    .description('run one recorded schedule again, step by step')
    .argument('<file>', 'a replay file that hunt has written')
    .option('--verbose', 'every step of the interleaving')
    .option('--json [file]', 'print the report as JSON, or write it to a file (--json=FILE)', expandHome)
    .action(async (file: string, options: ReplayArguments) => {
      const { replayCommand } = await import('./commands/replay.ts')
      status = await replayCommand(file, options)
    })
  program
    .command('scale')
    .description('predict contention on up to 256 CPUs with the coherence clock')
    .argument('[scenario]', "a scenario's name or path (default page-fault-disjoint)")
    .option(
      '--cpus <list>',
      'numbers of CPUs, such as 1,2,4,8 (default: doublings up to what the topology has)',
      parseCpuList,
    )
    .option(
      '--topology <name>',
      'mmtorture list topologies, NAMExN for N boxes, or the path of your own file (default milan)',
    )
    .option('--calibrate', 'measure this machine and write its topology, host, instead of running a scenario')
    .option('--spread', 'put the CPUs as far apart as there is room, instead of side by side')
    .option(
      '--cost <name=value>',
      "another cost than the topology's, in its unit, such as clearPage=3750 (repeatable)",
      collect,
    )
    .option(
      '--operations <n>',
      'operations a CPU in the measured window (default 200)',
      parseInteger('scale', 'operations'),
    )
    .option(
      '--simulated-time <t>',
      'length of the measured window instead, such as 500us',
      parseSimulatedTime,
    )
    .option('--seed <n>', 'seed: equal seeds give equal figures; or several: 1,2,3 (default 1)', parseSeeds)
    .option(
      '--lag <cycles>',
      'let CPUs run ahead of the slowest one: faster, not exact (default 0)',
      parseInteger('scale', 'lag'),
    )
    .option(
      '--pages <n>',
      "pages of the scenario (default: the scenario's own)",
      parseInteger('scale', 'pages'),
    )
    .option(
      '--section <ns>',
      "lock-torture: length of the critical section (default: the scenario's own)",
      parseInteger('scale', 'section'),
    )
    .option(
      '--think <ns>',
      "lock-torture: mean time between two critical sections (default: the scenario's own)",
      parseInteger('scale', 'think'),
    )
    .option('--config <KEY=VALUE>', 'configuration; VALUE,VALUE… makes a curve each (repeatable)', collect)
    .option('--revert <id>', REVERT, collect)
    .option('--patch <file>', PATCH, collect)
    .option('--baseline <row>', BASELINE)
    .option('--csv [file]', CSV, expandHome)
    .option('--trace <file>', 'replay a recording, text of perf script, plain or gzipped')
    .option('--profile', 'where the time goes, as perf report --stdio -G')
    .option('--annotate <function>', 'the source of a function with shares and misses (repeatable)', collect)
    .option('--c2c', 'the lines that CPUs take from one another, as perf c2c')
    .option('--lockstat', 'the text of /proc/lock_stat of each point')
    .option('--json [file]', 'print the report as JSON, or write it to a file (--json=FILE)', expandHome)
    .option(
      '--out <dir>',
      'write the report as scale.txt and scale.json into a folder; with --calibrate host.json (default mmtorture-out)',
      expandHome,
    )
    .action(async (scenario: string | undefined, options: ScaleArguments) => {
      const { scaleCommand } = await import('./commands/scale.ts')
      status = await scaleCommand(scenario, options, interruptSignal())
    })
  program
    .command('judge')
    .description('judge a page-table-lock design, a spinlock, a scenario or a patch: hunt, run and scale')
    .argument('<files...>', 'your files, and names of built-in designs or spinlocks to compare with')
    .option('--budget <s>', 'seconds for all of it (default 120)', parseBudget)
    .option('--seed <n>', 'seed of all hunts, runs and curves (default 1)', parseInteger('judge', 'seed'))
    .option('--workers <n>', 'worker threads of a hunt (default 1)', parseInteger('judge', 'workers'))
    .option(
      '--executions <n>',
      'executions of each scenario (default: as many as there is time for)',
      parseInteger('judge', 'executions'),
    )
    .option('--scenario <name>', 'hunt in this one and no others (repeatable)', collect)
    .option('--cpus <list>', 'numbers of CPUs of the curves (default 1,2,8,64)', parseCpuList)
    .option('--topology <names>', 'machines of the curves, the first in whole (default milan)')
    .option(
      '--operations <n>',
      'operations a CPU of each point of a curve (default 24)',
      parseInteger('judge', 'operations'),
    )
    .option('--config <KEY=VALUE>', 'configuration of all kernels alike (repeatable)', collect)
    .option('--json [file]', 'print the report as JSON, or write it to a file (--json=FILE)', expandHome)
    .option(
      '--out <dir>',
      'folder of replay files, judge.txt and judge.json (default: replay files in mmtorture-out)',
      expandHome,
    )
    .action(async (files: string[], options: JudgeArguments) => {
      const { judgeCommand } = await import('./commands/judge.ts')
      status = await judgeCommand(files, options, interruptSignal())
    })
  program
    .command('list')
    .description('list what there is: scenarios, config, topologies, reverts, schedulers or checks')
    .argument('[topic]', 'without one all of them')
    .option('--json [file]', 'as JSON', expandHome)
    .action(async (topic: string | undefined, options: { json?: string }) => {
      const { listCommand } = await import('./commands/list.ts')
      await listCommand(topic, options)
    })
  program
    .command('init')
    .description('write a folder with a design, a scenario and a tsconfig.json to begin with')
    .argument('[folder]', 'made if it is missing', '.')
    .action(async (folder: string) => {
      const { initCommand } = await import('./commands/init.ts')
      await initCommand(folder)
    })
  program
    .command('completion')
    .description('print the script by which a shell completes the command: bash, zsh or fish')
    .argument('<shell>')
    .action(async (shell: string) => {
      const { completionCommand } = await import('./commands/completion.ts')
      await completionCommand(shell, program)
    })
  try {
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync(separateJson(args), { from: 'user' })
    return status
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    console.error(`mmtorture: ${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}`)
    return 2
  }
  if (error instanceof UsageError) {
    console.error(`mmtorture: ${error.message}`)
    return 2
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  console.error(`mmtorture: internal error: ${text}`)
  return 3
}

/** Aborted by the first Ctrl-C; the second ends the process at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130)
    console.error('mmtorture: interrupted, stopping (once more to end at once)')
    controller.abort()
  })
  return controller.signal
}

function version(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
