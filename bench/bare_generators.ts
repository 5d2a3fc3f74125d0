// The little program by which tools are compared, as hand-written generators: what a stepped machine without
// announcements, checks or kernel would cost. Leaves out everything but the random walk.

/** Makes a function that runs one execution and says whether no update was lost. */
export function bareGenerators(cpus = 2): () => boolean {
  const COUNTER = 1
  const memory = new Int32Array(3)
  const blocked = new Uint8Array(cpus)
  const done = new Uint8Array(cpus)
  let running = 0
  let state = 1

  function random(): number {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }

  function otherFirst(): boolean {
    return (random() & 1) === 1
  }

  function* lock(): Generator<void, void> {
    for (;;) {
      if (otherFirst()) yield
      if (memory[0] === 0) {
        memory[0] = 1
        return
      }
      blocked[running] = 1
      yield
    }
  }

  function* unlock(): Generator<void, void> {
    if (otherFirst()) yield
    memory[0] = 0
    for (let cpu = 0; cpu < cpus; cpu++) blocked[cpu] = 0
  }

  function* program(): Generator<void, boolean> {
    for (let i = 0; i < 2; i++) {
      yield* lock()
      if (otherFirst()) yield
      const value = memory[COUNTER]
      if (otherFirst()) yield
      memory[COUNTER] = value + 1
      yield* unlock()
    }
    if (otherFirst()) yield
    return memory[COUNTER] >= 2
  }

  return () => {
    memory.fill(0)
    blocked.fill(0)
    done.fill(0)
    const generators = Array.from({ length: cpus }, program)
    let live = cpus
    while (live > 0) {
      do running = random() % cpus
      while (done[running] !== 0 || blocked[running] !== 0)
      if (generators[running].next().done !== true) continue
      done[running] = 1
      live--
    }
    return memory[COUNTER] === 2 * cpus
  }
}
