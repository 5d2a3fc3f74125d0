// One thread of a calibration: offers the timed loops of src/machine/host over comlink. Leaves out everything else.
import { parentPort, workerData } from 'node:worker_threads'
import { expose } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { handOffOn } from '../src/machine/host/hand_off.ts'
import { resolution, timeChase, timeLoop } from '../src/machine/host/loops.ts'
import type { CalibratorApi } from '../src/machine/host/protocol.ts'
import type { WasmMemory } from '../src/machine/smp/wasm_module.ts'

if (parentPort === null) throw new Error('workers/calibrator.ts runs in a worker thread')
const api: CalibratorApi = {
  ...{ resolution, loop: timeLoop, chase: timeChase },
  handOff: handOffOn(workerData as WasmMemory),
}
expose(api, nodeEndpoint(parentPort))
