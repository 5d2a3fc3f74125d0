// How a run, a hunt or a sweep came out.

export type Verdict = 'held' | 'violated'
