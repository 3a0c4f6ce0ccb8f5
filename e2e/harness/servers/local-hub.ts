/**
 * A model hub on this machine, in Hugging Face's layout: `/{owner}/{name}/resolve/{revision}/{path}`, with
 * ranges, open to pages of any origin, and counting every byte that leaves it.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { PassThrough, pipeline } from 'node:stream';
import { parseRange } from '../../../src/server/byte-range.ts';
import { listen } from '../../../src/server/listen.ts';

export interface LocalHub {
  /** `http://localhost:…` */
  readonly origin: string;
  /** Bytes of files that left since the last `forgetCounts`, by path inside the model's folder. */
  readonly bytesSent: ReadonlyMap<string, number>;
  forgetCounts(): void;
  close(): Promise<void>;
}

export interface LocalHubOptions {
  /** Folders by `owner/name`. */
  models: ReadonlyMap<string, string>;
  /** Who does not give this token is answered 401. */
  accessToken?: string;
}

/** Pages that are isolated from other origins may read what says so. */
const openToAll = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Authorization, Range',
  'Access-Control-Expose-Headers': 'Content-Range, Content-Length, ETag',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  // Every visit is to be counted, not only those that the browser has forgotten.
  'Cache-Control': 'no-store',
};

export async function startLocalHub({ models, accessToken }: LocalHubOptions): Promise<LocalHub> {
  const bytesSent = new Map<string, number>();

  function refusalOf({ method, headers }: IncomingMessage): number | null {
    if (method === 'OPTIONS') return 204;
    const isOpen = accessToken === undefined || headers.authorization === `Bearer ${accessToken}`;
    return isOpen ? null : 401;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(openToAll)) response.setHeader(name, value);
    const refusal = refusalOf(request);
    if (refusal !== null) {
      response.writeHead(refusal).end();
      return;
    }
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const asked = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(decodeURIComponent(pathname));
    const folder = models.get(asked?.[1] ?? '');
    const path = asked?.[2] ?? '';
    const file = join(folder ?? '', path);
    const size = folder === undefined || path.split('/').includes('..') ? null : await sizeOf(file);
    if (size === null) response.writeHead(404).end();
    else
      sendFile(request, response, file, size, (count) =>
        bytesSent.set(path, (bytesSent.get(path) ?? 0) + count),
      );
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const port = await listen(server, 'any', ['127.0.0.1']);
  return {
    origin: `http://localhost:${port}`,
    bytesSent,
    forgetCounts: () => bytesSent.clear(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
  size: number,
  onBytes: (count: number) => void,
): void {
  const range = parseRange(request.headers.range, size);
  response.setHeader('Accept-Ranges', 'bytes');
  if (range.kind === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${size}`);
    response.writeHead(416).end();
    return;
  }
  const { first, last } = range.kind === 'part' ? range : { first: 0, last: size - 1 };
  if (range.kind === 'part') response.setHeader('Content-Range', `bytes ${first}-${last}/${size}`);
  response.writeHead(range.kind === 'part' ? 206 : 200, { 'Content-Length': last - first + 1 });
  if (request.method === 'HEAD' || last < first) {
    response.end();
    return;
  }
  const counted = new PassThrough();
  counted.on('data', (part: Buffer) => onBytes(part.length));
  // Whoever asked may leave before the end.
  pipeline(createReadStream(file, { start: first, end: last }), counted, response, () => undefined);
}

async function sizeOf(file: string): Promise<number | null> {
  const found = await stat(file).catch(() => null);
  return found?.isFile() === true ? found.size : null;
}
