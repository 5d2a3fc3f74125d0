// MIX: how often the scenario `mixed` does what, in parts of a sum. A profile by its name, or nine weights.
//
// The profiles are counts of `perf script` recordings of real programs: Apache with CGI (httpd), a JVM with four
// allocating threads (java), redis-server with a BGSAVE (redis), Linux 6.18, x86-64 (docs/trace.md says how such are
// made; a short one of httpd is test/trace/fixtures). Each name is the number of:
//
//   read      page_fault_user of an absent page for reading or fetching (error_code without bits 0 and 1)
//   write     the same for writing (bit 1)
//   cow       page_fault_user of a present page for writing (bits 0 and 1)
//   mmap      sys_enter_mmap and sys_enter_brk;  munmap, mprotect, madvise, mremap: their sys_enter_
//   fork      task_newtask without CLONE_VM
//
// `recorded` is the mean of the three programs' shares, in thousandths. None of them called mremap. Leaves out faults
// in kernel mode, threads, and that read faults of programs are mostly on files: here all memory is anonymous.

/** What `mixed` does, in the order of the weights. */
export const MIX_PARTS = ['read', 'write', 'cow', 'mmap', 'munmap', 'mprotect', 'madvise', 'fork', 'mremap']

/** Weights by profile. */
export const MIX_PROFILES: Readonly<Record<string, readonly number[]>> = {
  recorded: [192, 504, 222, 58, 5, 17, 1, 2, 0],
  httpd: [2249, 811, 1417, 695, 63, 138, 0, 29, 0],
  java: [434, 10_963, 160, 273, 16, 257, 11, 0, 0],
  redis: [526, 1947, 1661, 95, 3, 22, 5, 1, 0],
  even: [1, 1, 1, 1, 1, 1, 1, 1, 1],
}
/** Most that a weight may be. */
const MOST = 100_000

/** `text` if it is a profile or nine weights with colons between them, not all 0; else undefined. */
export function parseMix(text: string): string | undefined {
  if (Object.hasOwn(MIX_PROFILES, text)) return text
  if (!/^\d{1,6}(:\d{1,6}){8}$/.test(text)) return undefined
  const weights = text.split(':').map(Number)
  return weights.every((weight) => weight <= MOST) && weights.some((weight) => weight > 0) ? text : undefined
}

/** The constants MIX_READ, … that a value sets. */
export function mixConstants(value: string): Record<string, number> {
  const weights = MIX_PROFILES[value] ?? value.split(':').map(Number)
  return Object.fromEntries(MIX_PARTS.map((part, index) => [`MIX_${part.toUpperCase()}`, weights[index]]))
}
