/**
 * Joins a room as a device: proves the room key, measures this tab, and computes what it is given. When
 * the host or the network goes away, it waits and comes back.
 */
import type { RoomAddress } from '../../transport/index.ts';
import type { DeviceOptions, Room } from '../room.ts';
import { tellWaiting } from '../tell-waiting.ts';
import { createViewStore, newView } from '../view-store.ts';
import { createKeptEngine } from './kept-engine.ts';
import { createOwnQuestions } from './own-questions.ts';
import { visit } from './visit.ts';
import type { DevicePart } from './part/index.ts';

/** How long a device waits for a host that went away: a reload, a laptop carried to another room. */
const patienceMs = 3 * 60_000;
const firstRetryMs = 300;
const longestRetryMs = 5_000;

/** Returns at once; the view says how far joining has come, and why if it fails. */
export function joinRoom(address: RoomAddress, options: DeviceOptions): Room {
  const store = createViewStore(newView('device', 'Looking for the room'));
  const leaving = new AbortController();
  const { signal } = leaving;
  tellWaiting(store, signal);
  const engine = createKeptEngine();
  const questions = createOwnQuestions((answers) => store.update({ answers }));
  let device = options;
  const presence: Presence = {
    part: null,
    isKnocking: false,
    hasBeen: false,
    lostMs: performance.now(),
  };

  function close(): void {
    leaving.abort();
  }

  async function stay(): Promise<string> {
    let retryMs = firstRetryMs;
    for (;;) {
      const end = await visit({
        address,
        device: () => device,
        store,
        engine,
        questions,
        signal,
        onKnocking() {
          presence.hasBeen = true;
          presence.isKnocking = true;
        },
        onPart(now) {
          if (!now && (presence.part || presence.isKnocking)) presence.lostMs = performance.now();
          presence.isKnocking = false;
          if (now) {
            presence.hasBeen = true;
            retryMs = firstRetryMs;
          }
          presence.part = now;
        },
      });
      // Someone who never was in learns at once why not, rather than waiting at a door that may not exist.
      const hasWaitedMs = performance.now() - presence.lostMs;
      if (end.isFinal || !presence.hasBeen || hasWaitedMs > patienceMs) return end.reason;
      store.update({
        phase: { kind: 'starting', step: `Waiting for the room to come back. ${end.reason}` },
        devices: [],
        plan: null,
      });
      await pause(retryMs, signal);
      retryMs = Math.min(2 * retryMs, longestRetryMs);
    }
  }

  addEventListener('pagehide', close, { signal });
  void stay().then(async (reason) => {
    leaving.abort();
    questions.end(reason);
    store.update({ phase: { kind: 'closed', reason } });
    await engine.dispose();
  });

  return {
    get view() {
      return store.view;
    },
    subscribe: (listener) => store.subscribe(listener),
    onIdle: (listener) => store.onIdle(listener),
    ask: (request) => questions.ask(request),
    stop: (answerId) => questions.stop(answerId),
    setMemoryBudget(bytes) {
      device = { ...device, memoryBudgetBytes: bytes };
      presence.part?.setBudget(bytes);
    },
    close,
  };
}

interface Presence {
  part: DevicePart | null;
  /** At the door, where it may wait for long. */
  isKnocking: boolean;
  /** Whether this device was ever in the room or at its door, and when it last was. */
  hasBeen: boolean;
  lostMs: number;
}

/** Until the time has passed, the network came back, or the person leaves. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      removeEventListener('online', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    addEventListener('online', go);
    signal.addEventListener('abort', go);
  });
}
