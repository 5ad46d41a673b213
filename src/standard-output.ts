/** Said on standard error when standard output takes nothing: its reader has gone, or its disk is full. */
export function cannotWrite(code: string | undefined): string {
  return `codex-auth: standard output cannot be written (${code}).\n`
}
