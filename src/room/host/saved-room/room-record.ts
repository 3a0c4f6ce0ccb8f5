/**
 * What a host tab needs to be itself again after a reload or a crash: the room's name and key, how it was opened, who may
 * come in, and the conversation with every token so far. Records are kept in IndexedDB. The tab's session storage says which
 * record is its own, so that another tab does not become the same host.
 */
import { del, entries, get, set } from 'idb-keyval';
import { reopenedStore } from '../../../base/reopened-store.ts';
import { withSecondTry } from '../../../base/storage-failure.ts';
import type { AskRequest, HostOptions } from '../../room.ts';
import type { AnswerStatus } from '../../view.ts';
import type { DoorRecord } from '../admission/index.ts';

export interface AskedRecord {
  request: AskRequest;
  asker: string;
  /** Tokens written so far. */
  ids: number[];
  text: string;
  status: AnswerStatus;
}

export interface RoomRecord {
  hostId: string;
  key: Uint8Array<ArrayBuffer>;
  options: HostOptions;
  asked: AskedRecord[];
  door: DoorRecord;
  savedAt: number;
}

const sessionKey = 'edgeshard room';
/** Devices wait minutes, not days, and nobody expects an old conversation to come back. */
const oldestMs = 12 * 3600_000;

const records = reopenedStore('edgeshard-rooms', 'rooms');

/** The room that this tab hosted before it was reloaded, or null. Never rejects: no storage, no record. */
export async function findRoomRecord(): Promise<RoomRecord | null> {
  try {
    // Every page does this, since a tab that was closed without ending its room never comes back for its record.
    await withSecondTry(forgetOld);
    const hostId = sessionStorage.getItem(sessionKey);
    if (hostId === null) return null;
    const record = await withSecondTry(() => get<WrittenRecord>(hostId, records));
    return record ? inTodaysShape(record) : null;
  } catch {
    return null;
  }
}

/** `standby` was called `warmSpares` when some records were written. */
type WrittenOptions = Omit<HostOptions, 'standby'> & { standby?: boolean; warmSpares?: boolean };
type WrittenRecord = Omit<RoomRecord, 'options'> & { options: WrittenOptions };

function inTodaysShape(record: WrittenRecord): RoomRecord {
  const { standby, warmSpares = true, ...rest } = record.options;
  return { ...record, options: { ...rest, standby: standby ?? warmSpares } };
}

async function forgetOld(): Promise<void> {
  for (const [hostId, { savedAt }] of await entries<string, RoomRecord>(records))
    if (Date.now() - savedAt > oldestMs) await del(hostId, records);
}

/** Rejects where the browser keeps nothing, or has no room left; the room works without. */
export async function saveRoomRecord(record: RoomRecord): Promise<void> {
  sessionStorage.setItem(sessionKey, record.hostId);
  await withSecondTry(() => set(record.hostId, record, records));
}

/** The room was closed on purpose. */
export async function forgetRoomRecord(hostId: string): Promise<void> {
  try {
    sessionStorage.removeItem(sessionKey);
    await withSecondTry(() => del(hostId, records));
  } catch {
    // Without storage nothing was kept.
  }
}
