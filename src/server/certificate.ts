/**
 * The certificate of the HTTPS listener: made on the first start and kept, or the person's own.
 *
 * What is made is an authority and one certificate signed by it; the authority's key is thrown away on
 * the spot. So a phone can be told to trust the authority (phones accept nothing less) without handing
 * anybody, this machine included, the power to vouch for another site.
 */
import { errorMessage } from '../base/error-message.ts';
import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface ServerCertificate {
  /** PEM: the certificate, then what signed it. */
  chain: string;
  /** PEM: the private key of the first certificate. */
  key: string;
  /** What a phone is asked to trust; null for a certificate of the person's own. */
  authority: X509Certificate | null;
  /** DNS names and addresses that the certificate is good for. */
  names: string[];
  validUntil: Date;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Apple's limit for certificates under an authority that a person installed is 825 days. */
const validDays = 800;
const renewDaysBefore = 30;
/** Addresses of networks this machine was in before stay valid, so that going back asks nobody again. */
const maxNames = 32;

/**
 * The kept certificate of `stateDir`, or a new one where there is none, it nears its end, or it lacks one
 * of `names` (DNS names or IP addresses).
 */
export async function keptCertificate(
  stateDir: string,
  names: string[],
  now: Date = new Date(),
): Promise<ServerCertificate> {
  const path = join(stateDir, 'certificate.pem');
  const kept = await readKept(path);
  if (kept && names.every((name) => kept.names.includes(name)) && isFresh(kept, now)) return kept;
  const pem = await makeCertificate([...new Set([...names, ...(kept?.names ?? [])])], now);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  // One file, moved into place: key and certificate always belong together.
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, pem, { mode: 0o600 });
  await rename(partial, path);
  return parseKept(pem);
}

/** The person's own certificate (PEM, with its chain) and key. Throws a sentence if they do not fit. */
export async function ownCertificate(
  certFile: string,
  keyFile: string,
): Promise<ServerCertificate> {
  const [chain, key] = await Promise.all([readPem(certFile), readPem(keyFile)]);
  const leaf = parsed('certificate', certFile, () => new X509Certificate(chain));
  const privateKey = parsed('private key', keyFile, () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey))
    throw new Error(`The key in ${keyFile} does not belong to the certificate in ${certFile}.`);
  return { chain, key, authority: null, names: namesOf(leaf), validUntil: new Date(leaf.validTo) };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

function parsed<T>(what: string, file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new Error(`${file} holds no ${what} in PEM form.`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return errorMessage(error);
}

async function readKept(path: string): Promise<ServerCertificate | null> {
  try {
    return parseKept(await readFile(path, 'utf8'));
  } catch {
    // Missing on a first start; unreadable or cut short, it is replaced just the same.
    return null;
  }
}

function parseKept(pem: string): ServerCertificate {
  const [leafPem, authorityPem] =
    pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(pem)?.[0];
  if (!leafPem || !authorityPem || !key) throw new Error('expected a key and two certificates');
  const leaf = new X509Certificate(leafPem);
  if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is of another one');
  return {
    chain: `${leafPem}\n${authorityPem}\n`,
    key,
    authority: new X509Certificate(authorityPem),
    names: namesOf(leaf),
    validUntil: new Date(leaf.validTo),
  };
}

function isFresh(certificate: ServerCertificate, now: Date): boolean {
  return certificate.validUntil.getTime() - now.getTime() > renewDaysBefore * dayMs;
}

function namesOf(certificate: X509Certificate): string[] {
  return [...(certificate.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^\s,"]+)/g)].map(
    ([, name = '']) => canonical(name),
  );
}

/** One spelling an address: certificates print IPv6 in full, the system prints it short. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name.toLowerCase();
}

async function makeCertificate(names: string[], now: Date): Promise<string> {
  const shared = {
    keyType: 'ec',
    algorithm: 'sha256',
    // A day back, for devices whose clock is behind.
    notBeforeDate: new Date(now.getTime() - dayMs),
    notAfterDate: new Date(now.getTime() + validDays * dayMs),
  } as const;
  const machine = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '-');
  // The tag tells a renewed authority from the one that a phone already trusts.
  const subject = `EdgeShard on ${machine} (${randomBytes(3).toString('hex')})`;
  const authority = await generate([{ name: 'commonName', value: subject }], {
    ...shared,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: machine }], {
    ...shared,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.slice(0, maxNames).map(altName) },
    ],
  });
  return [leaf.private, leaf.cert, authority.cert].map((pem) => pem.trim()).join('\n') + '\n';
}

function altName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) ? { type: 7, ip: name } : { type: 2, value: name };
}
