import { X509Certificate } from 'node:crypto';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keptCertificate, ownCertificate } from './certificate.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

const names = ['localhost', 'desk.local', '127.0.0.1', '192.168.1.20', '::1', 'fd00::5'];
const dayMs = 24 * 60 * 60 * 1000;

test('one is made for every name, signed by an authority that can sign nothing else', async () => {
  const folder = await temporaryFolder();
  const made = await keptCertificate(folder, names);
  const leaf = new X509Certificate(made.chain);
  expect(leaf.checkHost('desk.local')).toBe('desk.local');
  expect(leaf.checkHost('other.local')).toBeUndefined();
  for (const address of ['192.168.1.20', 'fd00::5', '::1'])
    expect(leaf.checkIP(address)).toBe(address);
  expect(leaf.ca).toBe(false);
  expect(made.authority?.ca).toBe(true);
  expect(made.authority && leaf.verify(made.authority.publicKey)).toBe(true);
  // One private key is kept, and it is not the authority's.
  const kept = await readFile(join(folder, 'certificate.pem'), 'utf8');
  expect(kept.match(/PRIVATE KEY-----\n/g)).toHaveLength(2);
  expect(leaf.publicKey.equals(made.authority?.publicKey ?? leaf.publicKey)).toBe(false);
});

test('nobody else on the machine may read it', async () => {
  const folder = await temporaryFolder();
  await keptCertificate(folder, names);
  expect(await readdir(folder)).toEqual(['certificate.pem']);
  expect((await stat(join(folder, 'certificate.pem'))).mode & 0o077).toBe(0);
});

test('it is kept from start to start', async () => {
  const folder = await temporaryFolder();
  const first = await keptCertificate(folder, names);
  const second = await keptCertificate(folder, names.slice(1));
  expect(second.chain).toBe(first.chain);
  expect(second.key).toBe(first.key);
});

test('a new address renews it, and addresses of networks left behind stay valid', async () => {
  const folder = await temporaryFolder();
  const first = await keptCertificate(folder, names);
  const second = await keptCertificate(folder, ['localhost', '10.9.8.7']);
  expect(second.chain).not.toBe(first.chain);
  expect(second.names).toEqual(['localhost', '10.9.8.7', ...names.slice(1)]);
  // Back in the first network: nothing to trust anew.
  expect((await keptCertificate(folder, names)).chain).toBe(second.chain);
});

test('it is renewed before it ends, and phones accept how long it lasts', async () => {
  const folder = await temporaryFolder();
  const start = new Date('2026-01-01T00:00:00Z');
  const first = await keptCertificate(folder, names, start);
  const days = (first.validUntil.getTime() - start.getTime()) / dayMs;
  expect(days).toBeLessThan(825);
  const later = (daysLater: number): Date => new Date(start.getTime() + daysLater * dayMs);
  expect((await keptCertificate(folder, names, later(days - 31))).chain).toBe(first.chain);
  const renewed = await keptCertificate(folder, names, later(days - 29));
  expect(renewed.chain).not.toBe(first.chain);
  expect(renewed.validUntil.getTime()).toBeGreaterThan(first.validUntil.getTime());
});

test('a file cut short is replaced', async () => {
  const folder = await temporaryFolder();
  await keptCertificate(folder, names);
  const path = join(folder, 'certificate.pem');
  await writeFile(path, (await readFile(path, 'utf8')).slice(0, 700));
  const remade = await keptCertificate(folder, names);
  expect(new X509Certificate(remade.chain).checkHost('desk.local')).toBe('desk.local');
});

test("one's own certificate is used as it is", async () => {
  const folder = await temporaryFolder();
  const { chain, key } = await keptCertificate(folder, ['demo.school.example']);
  const [certFile, keyFile] = [join(folder, 'c.pem'), join(folder, 'k.pem')];
  await writeFile(certFile, chain);
  await writeFile(keyFile, key);
  const own = await ownCertificate(certFile, keyFile);
  expect(own).toMatchObject({ chain, key, authority: null, names: ['demo.school.example'] });
});

test('a key that belongs to another certificate, no certificate, no file: a sentence each', async () => {
  const folder = await temporaryFolder();
  const first = await keptCertificate(join(folder, 'a'), names);
  const second = await keptCertificate(join(folder, 'b'), names);
  const certFile = join(folder, 'c.pem');
  const keyFile = join(folder, 'k.pem');
  await writeFile(certFile, first.chain);
  await writeFile(keyFile, second.key);
  await expect(ownCertificate(certFile, keyFile)).rejects.toThrow(
    `The key in ${keyFile} does not belong to the certificate in ${certFile}.`,
  );
  await expect(ownCertificate(keyFile, keyFile)).rejects.toThrow(
    `${keyFile} holds no certificate in PEM form.`,
  );
  await expect(ownCertificate(certFile, certFile)).rejects.toThrow(
    `${certFile} holds no private key in PEM form.`,
  );
  await expect(ownCertificate(join(folder, 'none.pem'), keyFile)).rejects.toThrow('cannot be read');
});
