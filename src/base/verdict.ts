// How a run, a hunt or a sweep came out.

export type Verdict = 'held' | 'violated'

/** `inconclusive`: nothing failed, but no execution came to its end either. */
export type HuntVerdict = Verdict | 'inconclusive'
