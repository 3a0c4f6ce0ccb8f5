import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBulk, encodeBulk, type BulkHeader } from './bulk-message.ts';

const headers: BulkHeader[] = [
  { kind: 'manifest' },
  { kind: 'want', request: 1, file: 0, offset: 4194304, bytes: 100 },
  { kind: 'piece', request: 1 },
  { kind: 'no-piece', request: 2 },
];

/** As it comes out of a link: somewhere in a larger buffer. */
function received(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(message.length + 3);
  buffer.set(message, 3);
  return buffer.subarray(3);
}

describe('a large message', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.constantFrom(...headers), fc.uint8Array({ maxLength: 50 }), (header, body) => {
        const back = decodeBulk(received(encodeBulk(header, body)));
        expect(back.header).toEqual(header);
        expect([...back.body]).toEqual([...body]);
      }),
    );
  });

  it('is refused in one sentence, never a crash, when it is anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(() => decodeBulk(received(bytes))).toThrow(/large message/);
      }),
    );
  });

  it('is refused when cut short or of an unknown kind, or when it wants too much', () => {
    const whole = encodeBulk({ kind: 'no-piece', request: 7 });
    for (let length = 0; length < whole.length; length++)
      expect(() => decodeBulk(received(whole.subarray(0, length)))).toThrow(/large message/);
    const want = { kind: 'want', request: 1, file: 0, offset: 0, bytes: 2 ** 30 } as const;
    expect(() => decodeBulk(received(encodeBulk(want)))).toThrow(/no known kind/);
  });
});
