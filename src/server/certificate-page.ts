/** The page that helps to trust the server's certificate on a phone, and the certificate itself. */
import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerCertificate } from './certificate.ts';

/** Answers by path. */
export type CertificatePage = ReadonlyMap<
  string,
  { headers: Record<string, string>; body: string | Buffer }
>;

export const certificatePath = '/certificate';

/** `origins` are the addresses that the certificate is for, shown to be compared. */
export function certificatePage(
  { authority, validUntil }: ServerCertificate,
  origins: readonly string[],
): CertificatePage {
  const page = read(authority ? 'certificate-page.html' : 'own-certificate-page.html');
  const filled = fill(page, {
    name: authority ? commonName(authority) : '',
    fingerprint: authority?.fingerprint256 ?? '',
    validUntil: validUntil.toISOString().slice(0, 10),
    origin: origins[0] ?? '',
  });
  const html = 'text/html; charset=utf-8';
  const css = 'text/css; charset=utf-8';
  const answers: [string, CertificatePage extends ReadonlyMap<string, infer A> ? A : never][] = [
    [certificatePath, { headers: { 'Content-Type': html, ...uncached }, body: filled }],
    [
      `${certificatePath}.css`,
      { headers: { 'Content-Type': css, ...uncached }, body: read('certificate-page.css') },
    ],
  ];
  if (authority)
    answers.push([
      `${certificatePath}/edgeshard.crt`,
      {
        headers: {
          // What makes a phone offer to install it rather than to show it.
          'Content-Type': 'application/x-x509-ca-cert',
          'Content-Disposition': 'attachment; filename="edgeshard.crt"',
          ...uncached,
        },
        body: authority.raw,
      },
    ]);
  return new Map(answers);
}

const uncached = { 'Cache-Control': 'no-store' };

function read(name: string): string {
  return readFileSync(new URL(`./certificate-page/${name}`, import.meta.url), 'utf8');
}

function commonName(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? 'EdgeShard';
}

function fill(template: string, values: Record<string, string>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => escapeHtml(values[name] ?? ''));
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
