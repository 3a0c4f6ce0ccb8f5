/** A text as a search pattern that matches just this text, with any flags: with `u`, an escaped hyphen is an error. */
export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
