/** What every response says about what the page may do. */

export interface PageContext {
  /** The `Host` header of the request. */
  host: string | undefined;
  secure: boolean;
  /** Other origins that the page may fetch from or open sockets to, e.g. a model hub. */
  connectSources: readonly string[];
}

/**
 * Isolated from other origins (wasm threads need it), nothing inline, nothing foreign; WebAssembly may be
 * compiled, and workers may start from blobs, as ONNX Runtime does for its threads.
 */
export function securityHeaders(context: PageContext): Record<string, string> {
  const connect = ["'self'", 'blob:', ...ownSocket(context), ...context.connectSources];
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "worker-src 'self' blob:",
      `connect-src ${connect.join(' ')}`,
      "style-src 'self'",
      "img-src 'self' data: blob:",
      "media-src 'self' blob:",
      "font-src 'self'",
      "manifest-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

/** Older Safari does not count a socket of the same origin as 'self'. */
function ownSocket({ host, secure }: PageContext): string[] {
  const isPlain = /^([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?$/i.test(host ?? '');
  return host !== undefined && isPlain ? [`${secure ? 'wss' : 'ws'}://${host}`] : [];
}
