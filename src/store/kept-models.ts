/**
 * Records which models the browser keeps pieces of, their sizes and last use, and drops models when there is
 * no room.
 *
 * A piece's key is `<model's id> <file>:<offset>+<bytes>`, so sizes are known without reading. A model's
 * title and last use are under `model:<id>`.
 */
import * as v from 'valibot';
import type { Entries } from './entries.ts';

export interface KeptModel {
  /** The hash of its manifest. */
  id: string;
  title: string;
  bytes: number;
  lastUsedMs: number;
}

const RecordSchema = v.object({ title: v.string(), lastUsedMs: v.number() });
const recordPrefix = 'model:';
const limitKey = 'limit';

export function pieceKey(modelId: string, pieceName: string): string {
  return `${modelId} ${pieceName}`;
}

/** Null if the key is not a piece's. */
export function readPieceKey(key: string): { modelId: string; bytes: number } | null {
  const match = /^(\S+) \d+:\d+\+(\d+)$/.exec(key);
  return match && { modelId: match[1], bytes: Number(match[2]) };
}

/** Least recently used first. */
export async function keptModels(entries: Entries): Promise<KeptModel[]> {
  const sizes = new Map<string, number>();
  for (const key of await entries.keys()) {
    const piece = readPieceKey(key);
    if (piece) sizes.set(piece.modelId, (sizes.get(piece.modelId) ?? 0) + piece.bytes);
  }
  const models = await Promise.all(
    [...sizes].map(async ([id, bytes]) => {
      const record = v.safeParse(RecordSchema, await entries.get(recordPrefix + id));
      const { title, lastUsedMs } = record.success
        ? record.output
        : { title: 'A model of an earlier visit', lastUsedMs: 0 };
      return { id, title, bytes, lastUsedMs };
    }),
  );
  return models.sort((a, b) => a.lastUsedMs - b.lastUsedMs);
}

export async function noteUse(entries: Entries, id: string, title: string): Promise<void> {
  await entries.set(recordPrefix + id, { title, lastUsedMs: Date.now() });
}

/** Drops one model's pieces. Without an id it drops everything but the limit. */
export async function dropModel(entries: Entries, id?: string): Promise<void> {
  const keys = await entries.keys();
  const gone =
    id === undefined
      ? keys.filter((key) => key !== limitKey)
      : keys.filter((key) => readPieceKey(key)?.modelId === id || key === recordPrefix + id);
  await entries.delete(gone);
}

/** Drops the least recently used model other than `keptId`; false if there is none. */
export async function dropLeastUsed(entries: Entries, keptId: string): Promise<boolean> {
  const oldest = (await keptModels(entries)).find(({ id }) => id !== keptId);
  if (oldest) await dropModel(entries, oldest.id);
  return oldest !== undefined;
}

/**
 * Drops models, least recently used first, until `bytes` more of `keptId` fit within the limit.
 *
 * @returns false if they would not fit even without the others; then nothing is dropped
 */
export async function makeRoom(
  entries: Entries,
  keptId: string,
  bytes: number,
  limit: number,
): Promise<boolean> {
  const models = await keptModels(entries);
  const own = models.find(({ id }) => id === keptId)?.bytes ?? 0;
  if (own + bytes > limit) return false;
  let total = models.reduce((sum, model) => sum + model.bytes, 0);
  for (const { id, bytes: freed } of models) {
    if (total + bytes <= limit) break;
    if (id === keptId) continue;
    await dropModel(entries, id);
    total -= freed;
  }
  return true;
}

/** The limit that a person set, or half of what the browser grants, and at most 16 GB. */
export async function limitBytes(entries: Entries): Promise<number> {
  const chosen = v.safeParse(v.pipe(v.number(), v.minValue(0)), await entries.get(limitKey));
  return chosen.success ? chosen.output : assumedLimitBytes();
}

export async function setLimitBytes(entries: Entries, bytes: number): Promise<void> {
  await entries.set(limitKey, bytes);
}

const mostAssumedBytes = 16e9;

/** Only secure contexts have storage that states its size, although the types say otherwise. */
interface Browser {
  navigator?: { storage?: Pick<StorageManager, 'estimate'> };
}

async function assumedLimitBytes({ navigator }: Browser = globalThis): Promise<number> {
  // Refused, it says nothing of whether the storage itself works.
  const estimate = await navigator?.storage?.estimate().catch(() => null);
  const quota = estimate?.quota ?? Infinity;
  return Math.min(mostAssumedBytes, quota / 2);
}
