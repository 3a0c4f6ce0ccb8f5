/**
 * A host that opened the page at `localhost` would hand out a link that leads every other device to itself;
 * the server's address on the local network takes its place.
 */

/** Where others reach this page, or null where its own address serves as well. */
export function linkBaseUrl(pageUrl: string, lanOrigins: readonly string[]): string | null {
  const page = new URL(pageUrl);
  if (lanOrigins.length === 0 || !isLoopback(page.hostname)) return null;
  return new URL(`${page.pathname}${page.search}`, lanOrigins[0]).href;
}

/** Whether only this very device can open the link. */
export function opensOnlyHere(link: string): boolean {
  return isLoopback(new URL(link).hostname);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
