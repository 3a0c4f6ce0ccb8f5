import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../sources/byte-source.ts';
import { writeSafetensors, type SafetensorsEntry } from '../fixtures/safetensors-writer.ts';
import { tinyEntries, tinySafetensors } from '../fixtures/tiny-safetensors.ts';
import { readSafetensors } from './safetensors.ts';

function read(file: Uint8Array) {
  return readSafetensors(memorySource(file), 'model.safetensors');
}

function withEntry(name: string, change: Partial<SafetensorsEntry>): Uint8Array {
  const entry = tinyEntries.get(name) ?? { dtype: 'F32', shape: [1], data: new Uint8Array(4) };
  return writeSafetensors(new Map([...tinyEntries, [name, { ...entry, ...change }]]));
}

describe('readSafetensors', () => {
  it('finds tensors of numbers, and leaves the rest', async () => {
    const file = tinySafetensors();
    const start = file.byteLength - 40;
    expect(Object.fromEntries(await read(file))).toEqual({
      a: { dtype: 'F32', shape: [2, 3], offset: start, bytes: 24 },
      b: { dtype: 'BF16', shape: [4], offset: start + 24, bytes: 8 },
    });
  });

  const lies: [string, Uint8Array, RegExp][] = [
    [
      'a size that does not follow from the shape',
      withEntry('a', { shape: [3, 3] }),
      /a is F32 \[3, 3\], which takes 36 bytes, but has 24/,
    ],
    ['overlapping tensors', withEntry('b', { claimedOffsets: [16, 24] }), /a and b overlap/],
    [
      'a tensor beyond the end',
      withEntry('b', { claimedOffsets: [1e9, 1e9 + 8] }),
      /cut short, or lies/,
    ],
    [
      'offsets the wrong way round',
      withEntry('b', { claimedOffsets: [8, 0] }),
      /cut short, or lies/,
    ],
    ['a negative size', withEntry('b', { shape: [-4] }), /entry for b is broken/],
    [
      'something else',
      new TextEncoder().encode('hello, this is no such file'),
      /claims a header of/,
    ],
    ['nothing', new Uint8Array(3), /only 3 bytes/],
  ];
  for (const [what, file, message] of lies)
    it(`refuses ${what}`, async () => {
      await expect(read(file)).rejects.toThrow(message);
    });

  it('refuses an absurd header before reading it', async () => {
    const file = tinySafetensors();
    new DataView(file.buffer).setBigUint64(0, 2n ** 63n, true);
    let longest = 0;
    const inner = memorySource(file);
    const source = {
      bytes: 2 ** 40,
      read: (offset: number, length: number) => {
        longest = Math.max(longest, length);
        return inner.read(offset, length);
      },
    };
    await expect(readSafetensors(source, 'x')).rejects.toThrow(
      /header of 9223372036854775808 bytes/,
    );
    expect(longest).toBe(8);
  });

  it('answers any broken byte with tensors that lie in the file, or a sentence', async () => {
    const file = tinySafetensors();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - 41),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const broken = Uint8Array.from(file);
          broken[at] ^= change;
          try {
            for (const { offset, bytes } of (await read(broken)).values())
              expect(offset + bytes).toBeLessThanOrEqual(file.byteLength);
          } catch (error) {
            expect((error as Error).message).toMatch(/model\.safetensors/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('says of a file cut anywhere that it is cut', async () => {
    const file = tinySafetensors();
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), async (length) => {
        await expect(read(file.subarray(0, length))).rejects.toThrow(/model\.safetensors/);
      }),
    );
  });
});
