/** Requests as they are on the wire: no path is tidied up and nothing is decompressed on the way. */
import { X509Certificate } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

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
    const sent =
      protocol === 'https:'
        ? httpsRequest({ ...request, ca, checkServerIdentity: isNamed })
        : httpRequest(request);
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

/** Node 22.23 finds no IPv6 address among a certificate's names; the certificate itself does. */
function isNamed(host: string, certificate: PeerCertificate): Error | undefined {
  if (!isIPv6(host)) return checkServerIdentity(host, certificate);
  const names = new X509Certificate(certificate.raw);
  return names.checkIP(host) === undefined
    ? new Error(`${host} is not among ${names.subjectAltName ?? 'no names'}`)
    : undefined;
}
