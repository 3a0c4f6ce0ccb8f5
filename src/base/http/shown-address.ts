/**
 * An address as a screen or a log may show it: without the query, which may hold a signature, and without a
 * user's name and password.
 */
export function shownAddress(address: string): string {
  if (/^https?:\/\//i.test(address) && URL.canParse(address)) {
    const { protocol, host, pathname } = new URL(address);
    return `${protocol}//${host}${pathname}`;
  }
  return address.replace(/[?#].*$/s, '').replace(/^(\w+:\/\/)?[^/\s]*@(?=[^/]*\/)/, '$1');
}

/** The last two parts of an address's path, such as `tiny/layer-0.bin`. */
export function shownFile(address: string): string {
  return new URL(address, 'http://localhost').pathname.split('/').slice(-2).join('/');
}
