/** Requests that came to this server under a name that is not its own. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Whether a foreign page's domain was pointed at 127.0.0.1, so that the page passes for one of this server
 * (DNS rebinding). Over HTTPS the certificate rules that out; the http listener is on this machine alone
 * and goes by no other names, save those of a proxy in front of it, which `allowedOrigins` tells.
 */
export function isMisdirected(
  request: IncomingMessage,
  allowedOrigins: readonly string[],
): boolean {
  if (request.socket instanceof TLSSocket) return false;
  const host = request.headers.host ?? '';
  return (
    !loopbackNames.includes(host.replace(/:\d*$/, '')) &&
    !allowedOrigins.some((origin) => new URL(origin).host === host)
  );
}
