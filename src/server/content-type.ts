import { extname } from 'node:path';

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

export function contentType(path: string): string {
  return types[extname(path)] ?? 'application/octet-stream';
}

/**
 * Files that shrink by much: code, text and WebAssembly. Weights stay as they are: f32 blocks shrink by
 * 7 %, and an embedding, which can shrink by 28 %, is fetched by byte ranges of the file itself.
 */
export function isCompressible(path: string): boolean {
  return /\.(css|html|js|json|mjs|svg|txt|wasm|webmanifest)$/.test(path);
}
