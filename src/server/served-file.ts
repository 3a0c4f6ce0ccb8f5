/** Sends a file: conditional requests, byte ranges, compressed copies. */
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { acceptedEncoding, type Encoding } from './accept-encoding.ts';
import { parseRange } from './byte-range.ts';
import type { Copy } from './content-copies.ts';

export interface ServedFile {
  whole: Copy;
  compressed: Partial<Record<Encoding, Copy>>;
  type: string;
  /** Names the content, without quotes; a compressed copy's tag is derived from it. */
  tag: string;
  cacheControl: string;
}

/** Cached for good: the name changes with the content. */
export const immutable = 'public, max-age=31536000, immutable';
/** Kept, but asked for again each time; unchanged, the answer is 304 without a body. */
export const revalidated = 'no-cache';

export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: ServedFile,
): void {
  const rangeHeader = request.headers.range;
  const encoding =
    rangeHeader === undefined
      ? acceptedEncoding(request.headers['accept-encoding'], file.compressed)
      : null;
  const copy = (encoding && file.compressed[encoding]) ?? file.whole;
  const etag = encoding ? `"${file.tag}-${encoding}"` : `"${file.tag}"`;

  response.setHeader('Content-Type', file.type);
  response.setHeader('Cache-Control', file.cacheControl);
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  if (Object.keys(file.compressed).length > 0) response.setHeader('Vary', 'Accept-Encoding');

  if (matches(request.headers['if-none-match'], etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  // A range of something that has changed since would be mixed with the old: then send all of the new.
  const ifRange = request.headers['if-range'];
  const range = parseRange(
    ifRange === undefined || ifRange === etag ? rangeHeader : undefined,
    copy.bytes,
  );
  switch (range.kind) {
    case 'unsatisfiable':
      response.statusCode = 416;
      response.setHeader('Content-Range', `bytes */${copy.bytes}`);
      response.end();
      break;
    case 'part':
      response.statusCode = 206;
      response.setHeader('Content-Range', `bytes ${range.first}-${range.last}/${copy.bytes}`);
      stream(request, response, copy.path, range.first, range.last);
      break;
    case 'whole':
      if (encoding) response.setHeader('Content-Encoding', encoding);
      stream(request, response, copy.path, 0, copy.bytes - 1);
      break;
  }
}

/** Whether an `If-None-Match` list holds this tag (weak comparison, RFC 9110, 13.1.2). */
function matches(header: string | undefined, etag: string): boolean {
  return (header ?? '')
    .split(',')
    .some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  first: number,
  last: number,
): void {
  response.setHeader('Content-Length', last - first + 1);
  if (request.method === 'HEAD' || last < first) {
    response.end();
    return;
  }
  pipeline(createReadStream(path, { start: first, end: last }), response, (error) => {
    // The reader left, or the file went away: too late for a status, so the connection says it.
    if (error) response.destroy();
  });
}
