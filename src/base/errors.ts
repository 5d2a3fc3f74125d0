// The one error class whose message is meant for the user. Leaves out exit statuses: the commands choose them.

/**
 * Bad input: an unknown name, a malformed file, a value out of range. The message is one sentence that says what was
 * wrong, where, and what would be right; it is printed without a stack, and the exit status is 2.
 */
export class UsageError extends Error {
  override name = 'UsageError'
}
