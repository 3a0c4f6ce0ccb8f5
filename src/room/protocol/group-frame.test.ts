import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packGroup, unpackGroup, type GroupedStep } from './group-frame.ts';

const bytesPerToken = 6;
const word = fc.nat(2 ** 32 - 1);
const hop = fc.record({ stage: fc.nat(65_535), queueUs: word, computeUs: word, wireUs: word });
const step: fc.Arbitrary<GroupedStep> = fc.record({
  sequence: word,
  position: word,
  hops: fc.array(hop, { maxLength: 5 }),
  payload: fc
    .uint8Array({ minLength: bytesPerToken, maxLength: bytesPerToken })
    .map((bytes) => new Uint8Array(bytes)),
});
const steps = fc.array(step, { minLength: 1, maxLength: 16 });

describe('a group of steps', () => {
  it('comes back as it was packed, wherever in memory it arrives', () => {
    fc.assert(
      fc.property(steps, fc.nat(7), (given, at) => {
        const packed = packGroup(given);
        const buffer = new Uint8Array(at + packed.length);
        buffer.set(packed, at);
        const back = unpackGroup(buffer.subarray(at), bytesPerToken);
        expect(back.map(({ payload, ...rest }) => ({ ...rest, payload: [...payload] }))).toEqual(
          given.map(({ payload, ...rest }) => ({ ...rest, payload: [...payload] })),
        );
      }),
    );
  });

  it('is refused in a sentence when bytes are missing or too many', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: -200, max: 200 }), (given, change) => {
        fc.pre(change !== 0);
        const packed = packGroup(given);
        const torn = new Uint8Array(Math.max(0, packed.length + change));
        torn.set(packed.subarray(0, torn.length));
        expect(() => unpackGroup(torn, bytesPerToken)).toThrow(/^a (group|step) of/);
      }),
    );
  });

  it('never asks for more than came, whatever the bytes say', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          const back = unpackGroup(new Uint8Array(bytes), bytesPerToken);
          expect(back.length * bytesPerToken).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: a (group|step) of/);
        }
      }),
    );
  });
});
