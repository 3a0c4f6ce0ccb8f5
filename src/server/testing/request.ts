/** Requests as they are on the wire: no path is tidied up and nothing is decompressed on the way. */
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  /** PEM of the authority that an HTTPS server's certificate is checked against. */
  ca?: string;
}

export function ask(origin: string, path: string, options: AskOptions = {}): Promise<Answer> {
  const { hostname, port, protocol } = new URL(origin);
  const { method = 'GET', headers = {}, ca } = options;
  const request: RequestOptions = {
    host: hostname.replaceAll(/[[\]]/g, ''),
    port,
    path,
    method,
    headers,
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const sent = protocol === 'https:' ? httpsRequest({ ...request, ca }) : httpRequest(request);
    sent.on('error', reject);
    sent.on('response', (response) => {
      buffer(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        reject,
      );
    });
    sent.end();
  });
}
