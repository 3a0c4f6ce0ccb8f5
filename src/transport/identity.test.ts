import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const sdp = (digit: string): string => `a=fingerprint:sha-256 ${digit.repeat(64)}\r\n`;

/** A browser that makes certificates; each has a fingerprint of its own. */
function stubWebRtc(): void {
  let made = 0;
  class Connection {
    static generateCertificate = () =>
      Promise.resolve({ expires: Date.now() + 1e12, number: ++made % 10 });
    readonly #number: number;
    constructor({ certificates }: { certificates: { number: number }[] }) {
      this.#number = certificates[0].number;
    }
    createDataChannel = () => undefined;
    createOffer = () => Promise.resolve({ sdp: sdp(String(this.#number)) });
    close = () => undefined;
  }
  vi.stubGlobal('RTCPeerConnection', Connection);
}

const denied = new DOMException('The request was denied.', 'SecurityError');

/** Locks of several tabs of one browser. */
function stubLocks(taken = new Set<string>()): void {
  vi.stubGlobal('navigator', {
    locks: {
      request: (name: string, _: unknown, take: (lock: object | null) => unknown) => {
        const isFree = !taken.has(name);
        taken.add(name);
        return Promise.resolve(take(isFree ? {} : null));
      },
    },
  });
}

/** A new tab: what a module remembers is gone. */
async function openTab() {
  vi.resetModules();
  return import('./identity.ts');
}

beforeEach(stubWebRtc);
afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock('idb-keyval');
});

function stubStorage({ isRefused = false } = {}): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const answer = <T>(work: () => T): Promise<T> =>
    isRefused ? Promise.reject(denied) : Promise.resolve().then(work);
  vi.doMock('idb-keyval', () => ({
    createStore: () => undefined,
    get: (key: string) => answer(() => values.get(key)),
    set: (key: string, value: unknown) => answer(() => values.set(key, value)),
  }));
  return values;
}

describe('a kept identity', () => {
  it('is the same after a reload, and another one in a second tab', async () => {
    stubStorage();
    stubLocks();
    const first = await (await openTab()).keepIdentity('room');
    expect(first.isKept).toBe(true);
    stubLocks();
    const reloaded = await (await openTab()).keepIdentity('room');
    expect(reloaded.fingerprint).toBe(first.fingerprint);
    stubLocks(new Set(['edgeshard identity room 0']));
    const second = await (await openTab()).keepIdentity('room');
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });
});

/** What a browser may do instead of giving a lock. */
const withoutLocks: [string, () => void][] = [
  [
    'denied',
    () => vi.stubGlobal('navigator', { locks: { request: () => Promise.reject(denied) } }),
  ],
  ['missing', () => vi.stubGlobal('navigator', {})],
  [
    'refused by throwing',
    () =>
      vi.stubGlobal('navigator', {
        locks: {
          request: () => {
            throw denied;
          },
        },
      }),
  ],
];

describe.each(withoutLocks)('where locks are %s', (_, stub) => {
  it.each([false, true])(
    '(storage refused: %s) an identity lasts as long as the page',
    async (isRefused) => {
      stubStorage({ isRefused });
      stub();
      const tab = await openTab();
      const identity = await tab.keepIdentity('room');
      expect(identity.fingerprint).toMatch(/^(\d)\1{63}$/);
      expect(identity.isKept).toBe(false);
      expect(await tab.keepIdentity('room')).toBe(identity);
      const second = await (await openTab()).keepIdentity('room');
      expect(second.fingerprint).not.toBe(identity.fingerprint);
    },
  );
});

it('lasts as long as the page where storage is refused and locks are given', async () => {
  stubStorage({ isRefused: true });
  stubLocks();
  const identity = await (await openTab()).keepIdentity('room');
  expect(identity.isKept).toBe(false);
});

it('says what is missing where there is no WebRTC, and may be asked again', async () => {
  stubStorage();
  stubLocks();
  const tab = await openTab();
  vi.stubGlobal('RTCPeerConnection', undefined);
  Reflect.deleteProperty(globalThis, 'RTCPeerConnection');
  await expect(tab.keepIdentity('room')).rejects.toThrow(/WebRTC is missing/);
  stubWebRtc();
  expect((await tab.keepIdentity('room')).fingerprint).toMatch(/^\d{64}$/);
});
