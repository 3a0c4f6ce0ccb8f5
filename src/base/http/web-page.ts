/**
 * Whether a server answered with a web page instead of the file. Servers of apps do so for every path that they
 * do not know, and networks that ask for a login do so for every request.
 *
 * @param start the first bytes of the answer
 */
export function isWebPage(headers: Headers, start: Uint8Array): boolean {
  if (headers.get('content-type')?.startsWith('text/html') !== true) return false;
  const text = new TextDecoder().decode(start.subarray(0, 200)).trimStart();
  return /^(<!doctype html|<html|<head|<!--)/i.test(text);
}
