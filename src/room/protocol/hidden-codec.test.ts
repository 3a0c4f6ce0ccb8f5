import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areFinite, bytesPerNumber, packHidden, unpackHidden, wireCode } from './hidden-codec.ts';
import type { WireType } from '../room.ts';

const hiddenSize = 6;
const wires: WireType[] = ['f32', 'f16'];

/** The bytes as they come out of a frame: somewhere in a larger buffer. */
function received(packed: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(at + packed.length);
  buffer.set(packed, at);
  return buffer.subarray(at);
}

describe.each(wires)('hidden states as %s', (wire) => {
  it('come back, wherever in memory they arrive', () => {
    const number = fc.float({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.nat(7),
        fc.infiniteStream(number),
        (tokens, at, stream) => {
          const values = Float32Array.from(stream.take(tokens * hiddenSize));
          const packed = packHidden(values, wire);
          expect(packed.length).toBe(values.length * bytesPerNumber[wire]);
          const back = unpackHidden(received(packed, at), wireCode(wire), wire, hiddenSize);
          expect(back.tokens).toBe(tokens);
          expect(back.values).toHaveLength(values.length);
          back.values.forEach((value, index) => {
            // Half precision keeps 11 bits, and 2^-25 near zero; single precision keeps all.
            const error = wire === 'f32' ? 0 : Math.abs(values[index]) * 2 ** -11 + 2 ** -25;
            expect(Math.abs(value - values[index])).toBeLessThanOrEqual(error);
          });
        },
      ),
    );
  });

  it('are packed from the middle of a larger array', () => {
    const values = Float32Array.from({ length: 18 }, (_, index) => index);
    const packed = packHidden(values.subarray(6, 12), wire);
    const { values: back } = unpackHidden(received(packed, 0), wireCode(wire), wire, hiddenSize);
    expect([...back]).toEqual([6, 7, 8, 9, 10, 11]);
  });

  it.each([0, 1, -1])('are refused when their length is no whole number of tokens: %i', (extra) => {
    const length = extra === 0 ? 0 : hiddenSize * bytesPerNumber[wire] + extra;
    expect(() => unpackHidden(new Uint8Array(length), wireCode(wire), wire, hiddenSize)).toThrow(
      `a hidden state of ${length} bytes came, not a multiple of ${hiddenSize * bytesPerNumber[wire]}`,
    );
  });

  it('are refused when they are of another type', () => {
    const [other] = wires.filter((each) => each !== wire);
    const packed = packHidden(new Float32Array(hiddenSize), wire);
    expect(() => unpackHidden(received(packed, 0), wireCode(other), wire, hiddenSize)).toThrow(
      `a hidden state came as type ${wireCode(other)}, and this room sends ${wire}`,
    );
  });
});

describe('areFinite', () => {
  it('finds a single number that is not, wherever it is', () => {
    const bad = fc.constantFrom(NaN, Infinity, -Infinity);
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(values, values, bad, (before, after, value) => {
        expect(areFinite(Float32Array.from([...before, ...after]))).toBe(true);
        expect(areFinite(Float32Array.from([...before, value, ...after]))).toBe(false);
      }),
    );
  });
});

it('sends as halves the largest half in place of what none can hold', () => {
  const packed = packHidden(Float32Array.of(1e6, -1e6, 65504, 1, 0, -2), 'f16');
  const { values } = unpackHidden(received(packed, 0), wireCode('f16'), 'f16', hiddenSize);
  expect([...values]).toEqual([65504, -65504, 65504, 1, 0, -2]);
});
