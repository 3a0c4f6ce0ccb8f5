/** Which path is answered by what. Everything else is 404: nothing here maps a URL onto the disk at large. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerInfo } from '../model/server-info.ts';
import type { CertificatePage } from './certificate-page.ts';
import type { Relay } from './relay.ts';
import { isMisdirected } from './own-host.ts';
import { securityHeaders } from './security-headers.ts';
import { sendFile, type ServedFile } from './served-file.ts';
import type { FindShardFile } from './shard-files.ts';
import { signallingPath, type Signalling } from './signalling.ts';

export interface Site {
  app: ReadonlyMap<string, ServedFile>;
  findShardFile: FindShardFile;
  info(): Promise<ServerInfo>;
  /** Null where there is none. */
  relay: Relay | null;
  certificatePage: CertificatePage;
  signalling: Signalling;
  connectSources: readonly string[];
  allowedOrigins: readonly string[];
}

/** A request handler for a listener; `secure` says whether it speaks HTTPS. */
export function routes(
  site: Site,
  secure: boolean,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const { host } = request.headers;
    const headers = securityHeaders({ host, secure, connectSources: site.connectSources });
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(site, request, response).catch(() => {
      // The disk failed, or the client went away; the listener goes on.
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'The server could not read this file.');
    });
  };
}

async function answer(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isMisdirected(request, site.allowedOrigins)) {
    sendText(response, 421, 'This server does not go by that name.');
    return;
  }
  const path = (request.url ?? '/').replace(/[?#].*$/s, '');
  if (path === signallingPath || path.startsWith(`${signallingPath}/`)) {
    site.signalling.handleRequest(request, response);
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    sendText(response, 405, 'Only GET and HEAD are answered here.');
    return;
  }
  const file = site.app.get(path) ?? (await shardFile(site, path));
  if (file) sendFile(request, response, file);
  else if (path === '/api/info') send(response, json, JSON.stringify(await site.info()));
  else if (path === '/api/ice') send(response, json, iceInfo(site, request));
  else {
    const page = site.certificatePage.get(path);
    if (page) send(response, page.headers, page.body);
    else sendText(response, 404, 'There is nothing here.');
  }
}

function iceInfo({ relay }: Site, { socket }: IncomingMessage): string {
  return JSON.stringify({ iceServers: relay?.iceServers(socket.localAddress) ?? [] });
}

async function shardFile(site: Site, path: string): Promise<ServedFile | null> {
  return path.startsWith('/shards/') ? site.findShardFile(path.slice('/shards/'.length)) : null;
}

const json = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

function send(
  response: ServerResponse,
  headers: Record<string, string>,
  body: string | Buffer,
): void {
  response.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  // Node leaves the body out where the method is HEAD.
  response.end(body);
}

function sendText(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${sentence}\n`);
}
