import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkError } from './link-error.ts';
import { decodeLinkMessage, encodeLinkMessage, maxControlLength } from './link-message.ts';

describe('messages on the control channel', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (message) => {
        const decoded = decodeLinkMessage(encodeLinkMessage({ kind: 'room', number: 1, message }));
        expect(JSON.stringify(decoded)).toBe(JSON.stringify({ kind: 'room', number: 1, message }));
      }),
    );
  });

  it('are refused by their sender above 64 KiB', () => {
    const message = 'x'.repeat(maxControlLength);
    expect(() => encodeLinkMessage({ kind: 'room', number: 1, message })).toThrow(
      /send large things as bulk/,
    );
  });

  it.each([
    ['bytes', new ArrayBuffer(8)],
    ['no JSON', '{'],
    ['an unknown kind', '{"kind":"hello"}'],
    ['a field too many', '{"kind":"beat","x":1}'],
    ['a goodbye too long', JSON.stringify({ kind: 'bye', reason: 'x'.repeat(1001) })],
    ['a burst before time began', '{"kind":"burst","bytes":1,"tookMs":-1}'],
    [
      'something too long',
      JSON.stringify({ kind: 'room', number: 1, message: 'x'.repeat(maxControlLength) }),
    ],
  ])('that are %s end in an error', (_, data) => {
    expect(() => decodeLinkMessage(data)).toThrow(LinkError);
  });
});
