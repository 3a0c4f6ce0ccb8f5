/**
 * One process at a time: two starts in the same folder must not build over one another.
 *
 * Who wants the lock draws a number, one more than any that is out, and the lowest comes first (Lamport's bakery). A
 * claim is a file whose name is never used again. So whoever finds one that a dead process left may remove it at any
 * moment and hits nobody else. One file under one name could not be taken over like that: between looking at it and
 * removing it, it may have become the lock of somebody who lives.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

interface Claim {
  /** `7-1234-…`: number 7 of process 1234; `drawing-1234-…` while it looks which number is free. */
  name: string;
  /** Null while it is being drawn. */
  number: number | null;
  pid: number;
}

const claimName = /^(drawing|\d+)-(\d+)-[0-9a-f-]{36}$/;
const retryMs = 100;
/** A claim is touched this often, so that one long untouched was left by a process that died. */
const touchMs = 10_000;
const abandonedAfterMs = 60_000;

/** Runs `work` while holding the lock `path`, a folder `path.d` of claims; waits while another living process holds it. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const folder = `${path}.d`;
  await mkdir(folder, { recursive: true });
  for (;;) {
    const claim = await draw(folder);
    if (!claim) continue;
    const file = join(folder, claim.name);
    const touching = setInterval(() => {
      utimes(file, new Date(), new Date()).catch(() => undefined);
    }, touchMs);
    try {
      if (await comesFirst(folder, claim)) return await work();
    } finally {
      clearInterval(touching);
      await rm(file, { force: true });
    }
  }
}

/** Null if the drawing was taken for abandoned: then others did not wait for its number. */
async function draw(folder: string): Promise<Claim | null> {
  const { pid } = process;
  const own = `${pid}-${randomUUID()}`;
  const drawing = join(folder, `drawing-${own}`);
  await writeFile(drawing, '');
  const numbers = (await claimsIn(folder)).map((claim) => claim.number ?? 0);
  const number = Math.max(0, ...numbers) + 1;
  const name = `${number}-${own}`;
  await writeFile(join(folder, name), '');
  try {
    await rm(drawing);
    return { name, number, pid };
  } catch (error) {
    await rm(join(folder, name), { force: true });
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Waits for its turn. False if the claim was taken for abandoned in the meantime, e.g. while this process was stopped. */
async function comesFirst(folder: string, own: Claim): Promise<boolean> {
  for (;;) {
    // Two looks, in this order: who has drawn by the first shows its number in the second, and who draws later sees ours.
    const isDrawn = (await claimsIn(folder)).every(({ number }) => number !== null);
    const claims = await claimsIn(folder);
    if (!claims.some(({ name }) => name === own.name)) return false;
    if (isDrawn && !claims.some((claim) => isBefore(claim, own))) return true;
    await wait(retryMs);
  }
}

/** Two that drew at the same moment have the same number, and different names. */
function isBefore(one: Claim, other: Claim): boolean {
  if (one.number === null || other.number === null) return false;
  return one.number < other.number || (one.number === other.number && one.name < other.name);
}

/** Claims of the living; the others are cleared away. */
async function claimsIn(folder: string): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (const name of await readdir(folder)) {
    const claim = parseClaim(name);
    if (!claim) continue;
    const file = join(folder, name);
    if (await isAbandoned(file, claim.pid)) await rm(file, { force: true });
    else claims.push(claim);
  }
  return claims;
}

function parseClaim(name: string): Claim | null {
  const found = claimName.exec(name);
  if (!found) return null;
  const [, drawn, pid] = found;
  return { name, number: drawn === 'drawing' ? null : Number(drawn), pid: Number(pid) };
}

async function isAbandoned(file: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return true;
  try {
    // A process that lives may have the number of one that died.
    return Date.now() - (await stat(file)).mtimeMs > abandonedAfterMs;
  } catch (error) {
    // Given up in the meantime.
    if (isMissing(error)) return true;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not ours to signal, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
