// What the model has room for, as far as a recording must be measured against it before there is a kernel to ask.
// The numbers are those of src/kernel/arch/limits.ts and lib/xarray.ts; a test holds them equal.

export const MODEL_LIMITS = {
  NR_TASKS: 512,
  NR_MMS: 256,
  NR_ADDRESS_SPACES: 1024,
  /** Pages of one file or shared memory object. */
  XA_INDICES: 2 ** 18,
}
