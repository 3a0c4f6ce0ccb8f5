import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Piece } from '../../store/layer-pieces.ts';
import { decodeBulk, type BulkMessage } from '../protocol/bulk-message.ts';
import { createPieceExchange, type PieceExchange } from './piece-exchange.ts';

const piece: Piece = { file: 0, offset: 0, bytes: 4, sha256: null };
const bytes = new Uint8Array([1, 2, 3, 4]);

/** Two devices that keep pieces, and what travels between them. */
function openPair(kept: Map<number, Uint8Array>) {
  const exchanges = new Map<string, PieceExchange>();
  const sent: string[] = [];
  let isCut = false;
  for (const [id, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ])
    exchanges.set(
      id,
      createPieceExchange({
        send(to, message) {
          const decoded = decodeBulk(message.slice());
          sent.push(`${id}>${to} ${decoded.header.kind}`);
          if (isCut) return Promise.reject(new Error('there is no link'));
          setImmediate(() => exchanges.get(other)?.receive(id, decoded));
          return Promise.resolve();
        },
        lookUp: ({ offset }) => Promise.resolve((id === 'b' && kept.get(offset)) || null),
      }),
    );
  const exchange = (id: string): PieceExchange => {
    const found = exchanges.get(id);
    if (!found) throw new Error(`there is no ${id}`);
    return found;
  };
  return { a: exchange('a'), b: exchange('b'), sent, cut: () => (isCut = true) };
}

const wish = (request: number): BulkMessage => ({
  header: { kind: 'want', request, file: 0, offset: 0, bytes: 4 },
  body: new Uint8Array(),
});

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('a piece exchange', () => {
  it('gives a piece that the other device keeps', async () => {
    const { a, sent } = openPair(new Map([[0, bytes]]));
    expect(await a.ask('b', piece)).toEqual(bytes);
    expect(sent).toEqual(['a>b want', 'b>a piece']);
  });

  it('says so when the other has none, or one of another length', async () => {
    const { a } = openPair(new Map([[0, bytes.subarray(1)]]));
    expect(await a.ask('b', { ...piece, offset: 8 })).toBeNull();
    expect(await a.ask('b', piece)).toBeNull();
  });

  it('gives up when the link is cut, the other leaves, stalls, or the load is stopped', async () => {
    const { a, cut } = openPair(new Map());
    const left = a.ask('b', piece);
    a.lost('b');
    expect(await left).toBeNull();

    const stopping = new AbortController();
    const stopped = a.ask('b', piece, stopping.signal);
    stopping.abort();
    expect(await stopped).toBeNull();

    const stalled = a.ask('c', piece);
    vi.advanceTimersByTime(30_000);
    expect(await stalled).toBeNull();

    cut();
    expect(await a.ask('b', piece)).toBeNull();
  });

  it('takes no piece from a device that was not asked for it', async () => {
    const { a } = openPair(new Map([[0, bytes]]));
    const asked = a.ask('b', piece);
    const forged = new Uint8Array([9, 9, 9, 9]);
    a.receive('c', { header: { kind: 'piece', request: 1 }, body: forged });
    expect(await asked).toEqual(bytes);
    a.receive('b', { header: { kind: 'piece', request: 77 }, body: forged });
  });

  it('answers many wishes, each once', async () => {
    const kept = new Map(Array.from({ length: 20 }, (_, offset) => [offset, bytes] as const));
    const { a, sent } = openPair(kept);
    const wishes = [...kept.keys()].map((offset) => a.ask('b', { ...piece, offset }));
    for (const given of await Promise.all(wishes)) expect(given).toEqual(bytes);
    expect(sent.filter((each) => each === 'b>a piece')).toHaveLength(20);
  });

  it('says no at once to wishes past what one device may have waiting', async () => {
    const sent: string[] = [];
    const never = new Promise<null>(() => undefined);
    const exchange = createPieceExchange({
      send(_, message) {
        sent.push(decodeBulk(message.slice()).header.kind);
        return Promise.resolve();
      },
      lookUp: () => never,
    });
    for (let request = 0; request < 40; request++) exchange.receive('a', wish(request));
    await vi.waitFor(() => expect(sent).toHaveLength(4));
    expect(new Set(sent)).toEqual(new Set(['no-piece']));
    exchange.receive('b', wish(0));
    expect(sent).toHaveLength(4);
  });

  it('has enough of a device that asks without end', () => {
    const { b } = openPair(new Map());
    const flood = (): void => {
      for (let request = 0; request < 2000; request++) b.receive('a', wish(request));
    };
    expect(flood).toThrow('more of the model than any device can load');
    expect(() => b.receive('c', wish(0))).not.toThrow();
  });

  it('refuses a manifest that nobody waits for', () => {
    const { a } = openPair(new Map());
    expect(() => a.receive('b', { header: { kind: 'manifest' }, body: new Uint8Array() })).toThrow(
      'b sent a manifest that nobody waited for',
    );
  });
});
