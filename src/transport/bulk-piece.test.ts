import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBulkReceiver, encodePiece, maxBulkBytes, type BurstReport } from './bulk-piece.ts';
import { LinkError } from './link-error.ts';

function receiver() {
  const messages: Uint8Array[] = [];
  const bursts: BurstReport[] = [];
  const bulk = createBulkReceiver({
    due: () => messages.length,
    onMessage: (bytes) => messages.push(bytes),
    onBurst: (report) => bursts.push(report),
  });
  const receive = (piece: Uint8Array<ArrayBuffer>): void => bulk.receive(piece);
  return { receive, messages, bursts };
}

function piecesOf(bytes: Uint8Array, number: number, size: number): Uint8Array<ArrayBuffer>[] {
  const total = bytes.length;
  const count = Math.max(1, Math.ceil(total / size));
  return Array.from({ length: count }, (_, index) => {
    const offset = index * size;
    const header = { kind: 'message', number, total, offset } as const;
    return encodePiece(header, bytes.subarray(offset, offset + size));
  });
}

describe('large messages', () => {
  it('are put together from pieces of any size', () => {
    const message = fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 64 }));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), (sent) => {
        const { receive, messages } = receiver();
        sent.forEach(([bytes, size], number) => piecesOf(bytes, number, size).forEach(receive));
        expect(messages).toEqual(sent.map(([bytes]) => Uint8Array.from(bytes)));
      }),
    );
  });

  it('that come again, after a connection broke, are let fall', () => {
    const { receive, messages } = receiver();
    const [first, second] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
    for (const [bytes, number] of [
      [first, 0],
      [first, 0],
      [second, 1],
    ] as const)
      piecesOf(bytes, number, 2).forEach(receive);
    expect(messages).toEqual([first, second]);
  });

  it('of a burst are counted and not kept', () => {
    const { receive, messages, bursts } = receiver();
    for (const offset of [0, 40, 80])
      receive(encodePiece({ kind: 'burst', number: 0, total: 120, offset }, new Uint8Array(40)));
    expect(messages).toEqual([]);
    expect(bursts).toMatchObject([{ bytes: 80 }]);
  });
});

describe('a piece', () => {
  const body = new Uint8Array(40);
  const first = { kind: 'message', number: 0, total: 100, offset: 0 } as const;

  it.each([
    ['of a message too long to hold', [{ ...first, total: maxBulkBytes + 1 }]],
    ['of a message out of turn', [{ ...first, number: 1 }]],
    ['that begins in the middle', [{ ...first, offset: 40 }]],
    ['that comes twice', [first, first]],
    ['of another message before the first is whole', [first, { ...first, number: 1 }]],
    ['that changes its mind about the length', [first, { ...first, offset: 40, total: 90 }]],
    ['that reaches beyond the end', [first, { ...first, offset: 40 }, { ...first, offset: 80 }]],
  ])('%s is refused', (_, headers) => {
    const { receive, messages } = receiver();
    const pieces = headers.map((header) => encodePiece(header, body));
    const last = pieces.pop();
    for (const piece of pieces) receive(piece);
    expect(() => last && receive(last)).toThrow(LinkError);
    expect(messages).toEqual([]);
  });

  it('without a body, which could come for ever, is refused', () => {
    const { receive } = receiver();
    expect(() => receive(encodePiece(first, new Uint8Array(0)))).toThrow(LinkError);
  });

  it('of arbitrary bytes is taken or refused, nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (pieces) => {
        const { receive } = receiver();
        for (const piece of pieces) {
          // Small numbers, so that some get past the first checks.
          const bytes = Uint8Array.from(piece, (byte, at) =>
            at < 16 && at % 4 > 0 ? 0 : byte % 5,
          );
          try {
            receive(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(LinkError);
          }
        }
      }),
    );
  });
});
