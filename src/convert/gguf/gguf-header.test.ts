import { gguf } from '@huggingface/gguf';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { memorySource } from '../sources/byte-source.ts';
import { countedSource } from '../fixtures/counted-source.ts';
import { writeGguf, type GgufTensor } from '../fixtures/gguf-writer.ts';
import { startRangeServer, type RangeServer } from '../fixtures/range-server.ts';
import { tinyGguf, tinyGgufMetadata, tinyGgufTensors } from '../fixtures/tiny-gguf.ts';
import { readGgufHeader, type GgufHeader } from './gguf-header.ts';

function read(file: Uint8Array): Promise<GgufHeader> {
  return readGgufHeader(memorySource(file), 'tiny.gguf');
}

let server: RangeServer | undefined;
afterEach(() => server?.close());

describe('readGgufHeader', () => {
  it('agrees with the reference reader on every tensor and every value', async () => {
    const file = tinyGguf();
    server = await startRangeServer(new Map([['/tiny.gguf', file]]));
    const reference = await gguf(`${server.origin}/tiny.gguf`);
    const { metadata, tensors } = await read(file);
    const expected = new Map<string, unknown>(Object.entries(reference.metadata));
    for (const [key, value] of metadata) expect([key, value]).toEqual([key, expected.get(key)]);
    expect(tensors.size).toBe(reference.tensorInfos.length);
    for (const info of reference.tensorInfos)
      expect(tensors.get(info.name)).toMatchObject({
        shape: info.shape.map(Number).toReversed(),
        offset: Number(reference.tensorDataOffset + info.offset),
      });
  });

  it('reads version 2 too, and no other', async () => {
    const metadata = tinyGgufMetadata();
    const tensors = tinyGgufTensors();
    expect((await read(writeGguf(metadata, tensors, { version: 2 }))).tensors.size).toBe(20);
    await expect(read(writeGguf(metadata, tensors, { version: 1 }))).rejects.toThrow(/version 1;/);
    await expect(read(new TextEncoder().encode('not a GGUF file'))).rejects.toThrow(/letters GGUF/);
  });

  const [first, second, ...others] = tinyGgufTensors();
  const lies: [string, GgufTensor[], RegExp][] = [
    ['overlapping tensors', [first, { ...second, claimedOffset: 32 }, ...others], /overlap/],
    [
      'a tensor beyond the end',
      [{ ...first, claimedOffset: 2 ** 40 }],
      /reaches to byte.*cut short/,
    ],
    ['a shape that the file cannot hold', [{ ...first, shape: [2 ** 20, 32] }], /reaches to byte/],
    ['an absurd shape', [{ ...first, shape: [2 ** 40, 2 ** 40] }], /larger than any model/],
    ['too many dimensions', [{ ...first, shape: [1, 1, 1, 1, 1] }], /5 dimensions/],
    ['an unknown type', [{ ...first, type: 99 }], /ggml type 99, which cannot be read/],
    ['half a block', [{ ...first, shape: [2, 33], type: 8 }], /multiple of 32, not 33/],
    ['the same tensor twice', [first, first], /listed twice/],
  ];
  for (const [what, tensors, message] of lies)
    it(`refuses ${what}`, async () => {
      await expect(read(writeGguf(tinyGgufMetadata(), tensors))).rejects.toThrow(message);
    });

  it('refuses a billion tensors before reading on', async () => {
    const file = writeGguf(tinyGgufMetadata(), [], { tensorCount: 1e9 });
    const source = countedSource(file);
    await expect(readGgufHeader(source, 'tiny.gguf')).rejects.toThrow(
      /number of tensors is given as 1000000000/,
    );
    expect(source.bytesRead).toBeLessThanOrEqual(64 << 10);
  });

  it('refuses absurd alignment', async () => {
    const metadata = { 'general.alignment': ['uint32', 7] as ['uint32', number] };
    await expect(read(writeGguf(metadata, []))).rejects.toThrow(/multiple of 8/);
  });

  it('says of a file cut anywhere that it is cut, and where', async () => {
    const file = tinyGguf();
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 40), async (length) => {
        await expect(read(file.subarray(0, length))).rejects.toThrow(
          /tiny\.gguf.*(cut short|no GGUF|can be)/,
        );
      }),
    );
  });

  it('answers any broken byte with a header that fits the file, or a sentence', async () => {
    const file = tinyGguf();
    await fc.assert(
      fc.asyncProperty(fc.nat(6000), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const broken = Uint8Array.from(file);
        broken[at] ^= change;
        try {
          for (const { offset, bytes } of (await read(broken)).tensors.values())
            expect(offset + bytes).toBeLessThanOrEqual(file.byteLength);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).message).toMatch(/tiny\.gguf|multiple of/);
        }
      }),
      { numRuns: 300 },
    );
  });
});
