// What a stepped or gated image does not link: the modules of the machine's own files whose functions are steps
// (primitives) or are done by the machine itself. Leaves out what a step does: src/machine/stepped.
import { Kind } from '../step/kinds.ts'

/** Modules of src/kernel/arch whose functions the stepped machine stands for. */
const REPLACED_MODULES = new Set(
  [
    'access',
    'atomic',
    'atomic_wasm',
    'halt',
    'barrier',
    'delay',
    'wait',
    'lock_word',
    'observe',
    'random',
  ].map((name) => `src/kernel/arch/${name}.ts`),
)
const WAIT_MODULE = 'src/kernel/arch/wait.ts'

/**
 * Primitives: each call is a step of the kind. Operands are the arguments in their order: an address and at most two
 * values.
 */
export const PRIMITIVES: ReadonlyMap<string, number> = new Map([
  ['load', Kind.PLAIN_READ],
  ['store', Kind.PLAIN_WRITE],
  ['data_race', Kind.RACE_READ],
  ['READ_ONCE', Kind.ONCE_READ],
  ['WRITE_ONCE', Kind.ONCE_WRITE],
  ['user_word_load', Kind.USER_READ],
  ['user_word_store', Kind.USER_WRITE],
  ['smp_load_acquire', Kind.ACQUIRE_READ],
  ['smp_store_release', Kind.RELEASE_WRITE],
  ['atomic_load', Kind.ATOMIC_READ],
  ['atomic_store', Kind.ATOMIC_WRITE],
  ['atomic_fetch_add', Kind.FETCH_ADD],
  ['atomic_fetch_and', Kind.FETCH_AND],
  ['atomic_fetch_or', Kind.FETCH_OR],
  ['xchg', Kind.XCHG],
  ['cmpxchg', Kind.CMPXCHG],
  ['clear_words', Kind.CLEAR],
  ['fill_words', Kind.CLEAR],
  ['copy_words', Kind.COPY],
  ['acquire_word', Kind.LOCK],
  ['try_acquire_word', Kind.TRYLOCK],
  ['release_word', Kind.UNLOCK],
  ['smp_cond_load', Kind.WAIT],
  ['cpu_relax', Kind.SPIN],
  ['cpu_wait', Kind.HALT],
  ['cpu_notify', Kind.NOTIFY],
])

/** Operands of a step. */
export const OPERANDS = 3

/** Functions that the machine gives to boot() in place of those of the modules: no steps. */
export const MACHINE_FUNCTIONS: ReadonlySet<string> = new Set([
  'this_cpu_read',
  'this_cpu_write',
  'this_cpu_add',
  'this_cpu_ptr',
  'per_cpu_ptr',
  'smp_processor_id',
  'smp_mb',
  'smp_wmb',
  'smp_rmb',
  'check_panic',
  'smp_wake',
  'smp_wake_one',
  'kick_cpu',
  'private_load',
  'private_store',
  'observe_table_locked',
  'observe_table_unlocked',
  'observe_table_read_done',
  'observe_object_alloc',
  'observe_object_free',
  'observe_contended',
  'observe_lock_init',
  'observe_lock_acquire',
  'observe_lock_release',
  'observe_lock_wanted',
  'observe_exception',
  'observe_turn',
  'observe_woken',
  'observe_wakes',
  'ndelay',
  'ktime_get_ns',
  'arch_random_below',
])

/** Those of them that compute an address or a number from their arguments, and do nothing else. */
export const PURE_MACHINE_FUNCTIONS: ReadonlySet<string> = new Set([
  'this_cpu_ptr',
  'per_cpu_ptr',
  'smp_processor_id',
])

/** Whether the module with this id is replaced by the machine; with `paravirt` the kernel's own waiting is linked. */
export function isReplaced(id: string, paravirt: boolean): boolean {
  return REPLACED_MODULES.has(id) && !(paravirt && id === WAIT_MODULE)
}
