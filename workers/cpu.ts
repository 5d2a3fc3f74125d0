// One CPU of an smp machine, a worker thread: offers src/machine/smp/cpu.ts over comlink. Leaves out everything else.
import { parentPort, workerData } from 'node:worker_threads'
import { expose } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { cpuApi } from '../src/machine/smp/cpu.ts'
import type { CpuSetup } from '../src/machine/smp/protocol.ts'

if (parentPort === null) throw new Error('workers/cpu.ts runs in a worker thread')
Error.stackTraceLimit = 64
expose(cpuApi(workerData as CpuSetup), nodeEndpoint(parentPort))
