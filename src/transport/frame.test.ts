import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSlice, encodeFrame, headerBytes, maxSliceBytes, sliceBodyBytes } from './frame.ts';
import { LinkError } from './link-error.ts';
import { createReassembler, defaultReassemblerOptions } from './reassembler.ts';
import type { FrameHeader } from './types.ts';

const maxFrameBytes = defaultReassemblerOptions.maxFrameBytes;

function headerWith(fields: Partial<FrameHeader> = {}): FrameHeader {
  return {
    flags: 0,
    dtype: 0,
    planVersion: 0,
    sequence: 0,
    step: 0,
    stage: 0,
    hops: [],
    ...fields,
  };
}

function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7) & 0xff);
}

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyHeader = fc.record({
  flags: u8,
  dtype: u8,
  planVersion: u32,
  sequence: u32,
  step: u32,
  stage: u16,
  hops: fc.array(fc.record({ stage: u16, queueUs: u32, computeUs: u32, wireUs: u32 }), {
    maxLength: 12,
  }),
});

describe('a frame', () => {
  it('of a decoded token is one message of 32 bytes more than its payload', () => {
    const messages = encodeFrame(headerWith(), bytesOf(1152), { number: 0 });
    expect(messages.map(({ length }) => length)).toEqual([headerBytes + 1152]);
  });

  it('has its fields at the documented places', () => {
    const hop = { stage: 9, queueUs: 10, computeUs: 11, wireUs: 12 };
    const header = headerWith({
      flags: 2,
      dtype: 3,
      planVersion: 4,
      sequence: 5,
      step: 6,
      stage: 8,
      hops: [hop],
    });
    const [message] = encodeFrame(header, Uint8Array.of(0xaa, 0xbb), { kind: 'echo', number: 7 });
    // prettier-ignore
    expect([...message]).toEqual([
      1, 1, 2, 3,  4, 0, 0, 0,  5, 0, 0, 0,  6, 0, 0, 0,  7, 0, 0, 0,  8, 0, 1, 0,  0, 0, 1, 0,  2, 0, 0, 0,
      0xaa, 0xbb,
      9, 0, 0, 0,  10, 0, 0, 0,  11, 0, 0, 0,  12, 0, 0, 0,
    ]);
  });

  it('is cut into full slices and a rest, none above the limit', () => {
    const lengths = encodeFrame(headerWith(), bytesOf(2 * sliceBodyBytes + 1), { number: 0 }).map(
      ({ length }) => length,
    );
    expect(lengths).toEqual([maxSliceBytes, maxSliceBytes, headerBytes + 1]);
  });

  it('arrives as it was sent, whatever its header, length and hop times', () => {
    fc.assert(
      fc.property(anyHeader, fc.nat({ max: 3 * sliceBodyBytes }), (header, length) => {
        const payload = bytesOf(length);
        const reassembler = createReassembler();
        const frames = encodeFrame(header, payload, { number: 0 }).flatMap((message) =>
          reassembler.receive(message),
        );
        expect(frames.map(({ kind, header }) => ({ kind, header }))).toEqual([
          { kind: 'frame', header },
        ]);
        expect(Buffer.compare(frames[0].payload, payload)).toBe(0);
      }),
    );
  });

  it('that fits one message is handed out without a copy, aligned for any number type', () => {
    const [message] = encodeFrame(headerWith(), bytesOf(64), { number: 0 });
    const [frame] = createReassembler().receive(message);
    expect(frame.payload.buffer).toBe(message.buffer);
    expect(frame.payload.byteOffset % 8).toBe(0);
  });

  it('is refused by its sender if a field does not fit its bytes', () => {
    const wrong = [
      { flags: 256 },
      { stage: 65536 },
      { planVersion: -1 },
      { step: 1.5 },
      { sequence: 2 ** 32 },
    ];
    for (const fields of wrong)
      expect(() => encodeFrame(headerWith(fields), bytesOf(1), { number: 0 })).toThrow(LinkError);
  });
});

describe('frames of several sequences', () => {
  it('come out once each, in the order of their sequence, in whatever order and number slices arrive', () => {
    const sent = fc.array(
      fc.record({
        sequence: fc.nat({ max: 2 }),
        length: fc.nat({ max: 2 * sliceBodyBytes + 100 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(sent, fc.infiniteStream(fc.nat()), (frames, random) => {
        const numbers = [0, 0, 0];
        const messages = frames.flatMap(({ sequence, length }, step) => {
          const number = numbers[sequence];
          numbers[sequence]++;
          return encodeFrame(headerWith({ sequence, step }), bytesOf(length, step), { number });
        });
        const draw = (): number => Number(random.next().value);
        const twice = messages.filter(() => draw() % 3 === 0);
        const shuffled = [...messages, ...twice]
          .map((message) => ({ message, rank: draw() }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ message }) => message);

        const reassembler = createReassembler();
        const received = shuffled.flatMap((message) => reassembler.receive(message));
        for (const sequence of [0, 1, 2]) {
          const expected = frames
            .map(({ length, ...rest }, step) => ({ ...rest, step, payload: bytesOf(length, step) }))
            .filter((frame) => frame.sequence === sequence);
          const got = received.filter(({ header }) => header.sequence === sequence);
          expect(got.map(({ header }) => header.step)).toEqual(expected.map(({ step }) => step));
          for (const [index, { payload }] of got.entries())
            expect(Buffer.compare(payload, expected[index].payload)).toBe(0);
        }
        expect(reassembler.duplicates).toBe(twice.length);
        expect([reassembler.pendingFrames, reassembler.pendingBytes]).toEqual([0, 0]);
      }),
    );
  });

  it('do not wait for each other', () => {
    const reassembler = createReassembler();
    const late = encodeFrame(headerWith({ sequence: 1 }), bytesOf(10), { number: 1 });
    const other = encodeFrame(headerWith({ sequence: 2 }), bytesOf(10), { number: 0 });
    expect(late.flatMap((message) => reassembler.receive(message))).toEqual([]);
    expect(other.flatMap((message) => reassembler.receive(message))).toHaveLength(1);
  });

  it('that are echoes have no order, and one that is never whole holds up no other', () => {
    const reassembler = createReassembler();
    const echo = (number: number, bytes: number): Uint8Array<ArrayBuffer>[] =>
      encodeFrame(headerWith({ step: number }), bytesOf(bytes), { kind: 'echo', number });
    const [first] = echo(0, 6000);
    expect(reassembler.receive(first)).toEqual([]);
    for (const [number, bytes] of [
      [2, 100],
      [1, 9000],
    ]) {
      const received = echo(number, bytes).flatMap((message) => reassembler.receive(message));
      expect(received).toMatchObject([{ kind: 'echo', header: { step: number } }]);
      expect(received[0].payload).toHaveLength(bytes);
    }
    for (let number = 10; number < 200; number++) reassembler.receive(echo(number, 6000)[1]);
    expect(() => echo(300, 300_000).map((message) => reassembler.receive(message))).toThrow(
      LinkError,
    );
    expect([reassembler.pendingFrames, reassembler.due.size]).toEqual([0, 0]);
  });
});

describe('hostile messages', () => {
  const limits = {
    maxFrameBytes: 20_000,
    maxPendingFrames: 4,
    maxPendingBytes: 50_000,
    maxSequences: 8,
  };

  it('end in a typed error, and never hold more memory than allowed', () => {
    const [a, b] = encodeFrame(headerWith(), bytesOf(6000), {
      number: 0,
    });
    const mutated = fc
      .tuple(
        fc.constantFrom(a, b),
        fc.array(fc.tuple(fc.nat({ max: 40 }), u8), { maxLength: 6 }),
        fc.nat({ max: 4700 }),
      )
      .map(([message, changes, length]) => {
        const copy = Uint8Array.from(message);
        for (const [at, value] of changes) copy[at] = value;
        return length < 60 ? copy.slice(0, length) : copy;
      });
    const noise = fc.uint8Array({ maxLength: 80 }).map((bytes) => Uint8Array.from(bytes));
    let refused = 0;
    fc.assert(
      fc.property(fc.array(fc.oneof(mutated, noise), { maxLength: 30 }), (messages) => {
        const reassembler = createReassembler(limits);
        for (const message of messages) {
          try {
            reassembler.receive(message);
          } catch (error) {
            expect(error).toBeInstanceOf(LinkError);
            refused++;
          }
          expect(reassembler.pendingFrames).toBeLessThanOrEqual(limits.maxPendingFrames);
          expect(reassembler.pendingBytes).toBeLessThanOrEqual(limits.maxPendingBytes);
        }
      }),
    );
    expect(refused).toBeGreaterThan(0);
  });

  it.each([
    ['shorter than a header', (message: Uint8Array) => message.subarray(0, 31)],
    ['longer than a slice', () => new Uint8Array(maxSliceBytes + 1)],
    ['of another version', (message: Uint8Array) => message.with(0, 2)],
    ['of an unknown kind', (message: Uint8Array) => message.with(1, 3)],
    ['with a spare byte in use', (message: Uint8Array) => message.with(23, 1)],
    ['with an index beyond its count', (message: Uint8Array) => message.with(24, 9)],
    ['with a count that its length contradicts', (message: Uint8Array) => message.with(26, 9)],
    ['with a length that its count contradicts', (message: Uint8Array) => message.with(29, 0)],
    ['that claims a gigabyte', (message: Uint8Array) => message.with(31, 0x40)],
    ['cut short', (message: Uint8Array) => message.subarray(0, message.length - 1)],
  ])('%s: refused', (_, spoil) => {
    const [message] = encodeFrame(headerWith(), bytesOf(6000), { number: 0 });
    const spoilt = Uint8Array.from(spoil(message));
    expect(() => decodeSlice(message, maxFrameBytes)).not.toThrow();
    expect(() => decodeSlice(spoilt, maxFrameBytes)).toThrow(LinkError);
  });

  it('that begin frames and never end them are stopped at the limit', () => {
    const reassembler = createReassembler(limits);
    const begin = (sequence: number): void => {
      const [first] = encodeFrame(headerWith({ sequence }), bytesOf(15_000), {
        number: 0,
      });
      reassembler.receive(first);
    };
    for (const sequence of [1, 2, 3]) begin(sequence);
    expect(() => begin(4)).toThrow(/more than 50000 bytes/);
  });

  it('from far ahead in a sequence are refused', () => {
    const [message] = encodeFrame(headerWith(), bytesOf(1), { number: 1000 });
    expect(() => createReassembler(limits).receive(message)).toThrow(
      /frame 1000 .* frame 0 was due/,
    );
  });

  it('whose slices contradict each other are refused', () => {
    const reassembler = createReassembler(limits);
    const [first] = encodeFrame(headerWith(), bytesOf(6000), { number: 0 });
    const [, second] = encodeFrame(headerWith({ step: 1 }), bytesOf(6000), {
      number: 0,
    });
    reassembler.receive(first);
    expect(() => reassembler.receive(second)).toThrow(/contradict/);
  });

  it('of ever new sequences do not fill the memory', () => {
    const reassembler = createReassembler(limits);
    for (let sequence = 0; sequence < 100; sequence++) {
      const [message] = encodeFrame(headerWith({ sequence }), bytesOf(1), {
        number: 0,
      });
      expect(reassembler.receive(message)).toHaveLength(1);
    }
  });
});
