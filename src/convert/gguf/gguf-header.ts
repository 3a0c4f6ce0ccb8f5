/**
 * Reads the header of a GGUF file, versions 2 and 3
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): metadata, then every tensor's type, shape and
 * place. It refuses counts and lengths that the file could not hold.
 *
 * `@huggingface/gguf` reads headers too, and the tests compare this reader with it. That reader takes a URL
 * or a path, not other sources of ranges such as a dropped file or another device. It also trusts the counts
 * in a file, so a hostile header can use up memory before it is refused.
 */
import { tensorBytes, type Dtype } from '../../model/numbers/dtype.ts';
import type { ByteSource } from '../sources/byte-source.ts';
import type { StoredRange } from '../hub/safetensors.ts';

export type GgufValue = number | bigint | boolean | string | GgufValue[];

export interface GgufHeader {
  metadata: Map<string, GgufValue>;
  /** Under GGUF's own names. */
  tensors: Map<string, StoredRange>;
}

/** No valid header exceeds these; the largest vocabularies make headers of some 20 MB. */
const limits = {
  headerBytes: 256 << 20,
  metadataEntries: 1 << 16,
  tensors: 1 << 17,
  nameBytes: 1 << 10,
  textBytes: 4 << 20,
  arrayEntries: 1 << 22,
  arrayDepth: 4,
};

/** Numbers of `ggml_type`. */
const dtypeOfNumber: Partial<Record<number, Dtype>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  16: 'IQ2_XXS',
  20: 'IQ4_NL',
  23: 'IQ4_XS',
  30: 'BF16',
};

/** @throws Error that names the file and the metadata key or tensor at fault */
export async function readGgufHeader(source: ByteSource, path: string): Promise<GgufHeader> {
  const reader = new Reader(source, path);
  const { tensorCount, metadata } = await readStart(reader, path);
  const infos: TensorInfo[] = [];
  for (let i = 0; i < tensorCount; i++) infos.push(await reader.tensorInfo(i));
  const dataStart = roundUp(reader.position, alignmentOf(metadata, path));
  return { metadata, tensors: locate(infos, dataStart, source.bytes, path) };
}

/** The metadata alone, also of a file whose tensors cannot be read. */
export async function readGgufMetadata(
  source: ByteSource,
  path: string,
): Promise<GgufHeader['metadata']> {
  return (await readStart(new Reader(source, path), path)).metadata;
}

async function readStart(
  reader: Reader,
  path: string,
): Promise<{ tensorCount: number; metadata: GgufHeader['metadata'] }> {
  if ((await reader.uint32('the magic')) !== 0x46554747)
    throw new Error(`${path} is no GGUF file: it does not begin with the letters GGUF`);
  const version = await reader.uint32('the version');
  if (version !== 2 && version !== 3)
    throw new Error(
      `${path} is GGUF version ${version}; versions 2 and 3, little-endian, can be read`,
    );
  const tensorCount = await reader.count('the number of tensors', limits.tensors);
  const entryCount = await reader.count('the number of metadata entries', limits.metadataEntries);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = await reader.text(`metadata key ${i}`, limits.nameBytes);
    if (metadata.has(key)) throw new Error(`${path}: the metadata has ${key} twice`);
    metadata.set(key, await reader.value(key, await reader.uint32(key), 0));
  }
  return { tensorCount, metadata };
}

interface TensorInfo {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** From the start of the data. */
  offset: number;
}

function alignmentOf(metadata: Map<string, GgufValue>, path: string): number {
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 8 || alignment > 1 << 20 || alignment % 8 !== 0)
    throw new Error(
      `${path}: general.alignment must be a multiple of 8 up to ${1 << 20}, ` +
        `not ${JSON.stringify(String(alignment))}`,
    );
  return alignment;
}

function locate(
  infos: TensorInfo[],
  dataStart: number,
  fileBytes: number,
  path: string,
): Map<string, StoredRange> {
  const tensors = new Map<string, StoredRange>();
  for (const { name, dtype, shape, offset } of infos) {
    if (tensors.has(name)) throw new Error(`${path}: the tensor ${name} is listed twice`);
    const bytes = tensorBytes(dtype, shape);
    if (dataStart + offset + bytes > fileBytes)
      throw new Error(
        `${path}: ${name} reaches to byte ${dataStart + offset + bytes}, and the file has ` +
          `${fileBytes}: it is cut short, or lies`,
      );
    tensors.set(name, { dtype, shape, offset: dataStart + offset, bytes });
  }
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  for (let i = 1; i < inOrder.length; i++) {
    const [[before, first], [after, second]] = [inOrder[i - 1], inOrder[i]];
    if (second.offset < first.offset + first.bytes)
      throw new Error(`${path}: the tensors ${before} and ${after} overlap`);
  }
  return tensors;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Reads values one after another, fetching ahead in growing windows. */
class Reader {
  position = 0;
  #window = new Uint8Array();
  #windowStart = 0;
  #windowBytes = 64 << 10;

  constructor(
    private readonly source: ByteSource,
    private readonly path: string,
  ) {}

  async uint32(what: string): Promise<number> {
    return (await this.#take(4, what)).getUint32(0, true);
  }

  /** A 64-bit count of things that take at least a byte each. */
  async count(what: string, limit: number): Promise<number> {
    const value = (await this.#take(8, what)).getBigUint64(0, true);
    const possible = Math.min(limit, this.source.bytes - this.position);
    if (value > BigInt(possible))
      throw new Error(
        `${this.path}: ${what} is given as ${value.toString()}, where at most ${possible} can be`,
      );
    return Number(value);
  }

  async text(what: string, limit: number): Promise<string> {
    const length = await this.count(`the length of ${what}`, limit);
    const { buffer, byteOffset } = await this.#take(length, what);
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length));
  }

  async value(key: string, type: number, depth: number): Promise<GgufValue> {
    switch (type) {
      case 0:
        return (await this.#take(1, key)).getUint8(0);
      case 1:
        return (await this.#take(1, key)).getInt8(0);
      case 2:
        return (await this.#take(2, key)).getUint16(0, true);
      case 3:
        return (await this.#take(2, key)).getInt16(0, true);
      case 4:
        return (await this.#take(4, key)).getUint32(0, true);
      case 5:
        return (await this.#take(4, key)).getInt32(0, true);
      case 6:
        return (await this.#take(4, key)).getFloat32(0, true);
      case 7:
        return (await this.#take(1, key)).getUint8(0) !== 0;
      case 8:
        return this.text(key, limits.textBytes);
      case 9:
        return this.#array(key, depth);
      case 10:
        return (await this.#take(8, key)).getBigUint64(0, true);
      case 11:
        return (await this.#take(8, key)).getBigInt64(0, true);
      case 12:
        return (await this.#take(8, key)).getFloat64(0, true);
      default:
        throw new Error(`${this.path}: ${key} is of the unknown metadata type ${type}`);
    }
  }

  async #array(key: string, depth: number): Promise<GgufValue[]> {
    if (depth >= limits.arrayDepth)
      throw new Error(`${this.path}: ${key} nests arrays more than ${limits.arrayDepth} deep`);
    const type = await this.uint32(key);
    const length = await this.count(`the length of ${key}`, limits.arrayEntries);
    const values: GgufValue[] = [];
    for (let i = 0; i < length; i++) values.push(await this.value(key, type, depth + 1));
    return values;
  }

  async tensorInfo(index: number): Promise<TensorInfo> {
    const name = await this.text(`the name of tensor ${index}`, limits.nameBytes);
    const dimensions = await this.uint32(name);
    if (dimensions < 1 || dimensions > 4)
      throw new Error(`${this.path}: ${name} has ${dimensions} dimensions, where 1 to 4 can be`);
    const shape: number[] = [];
    // GGUF lists the innermost dimension first.
    for (let i = 0; i < dimensions; i++) shape.unshift(await this.#size(name));
    if (shape.reduce((product, size) => product * size, 1) > 2 ** 45)
      throw new Error(`${this.path}: ${name} is ${shape.join(' × ')}, larger than any model`);
    const type = await this.uint32(name);
    const dtype = dtypeOfNumber[type];
    if (!dtype)
      throw new Error(
        `${this.path}: ${name} is stored as ggml type ${type}, which cannot be read; these can: ` +
          Object.values(dtypeOfNumber).join(', '),
      );
    return { name, dtype, shape, offset: await this.#size(name, 0) };
  }

  async #size(name: string, least = 1): Promise<number> {
    const value = (await this.#take(8, name)).getBigUint64(0, true);
    if (value < BigInt(least) || value > 2n ** 50n)
      throw new Error(`${this.path}: ${name} gives ${value.toString()} as a size or place`);
    return Number(value);
  }

  async #take(length: number, what: string): Promise<DataView> {
    const end = this.position + length;
    if (end > this.source.bytes || end > limits.headerBytes)
      throw new Error(`${this.path} is cut short: it ends within ${what}`);
    if (end > this.#windowStart + this.#window.byteLength) {
      const bytes = Math.max(length, this.#windowBytes);
      this.#windowBytes = Math.min(2 * this.#windowBytes, 4 << 20);
      this.#windowStart = this.position;
      this.#window = await this.source.read(
        this.position,
        Math.min(bytes, this.source.bytes - this.position),
      );
    }
    const view = new DataView(
      this.#window.buffer,
      this.#window.byteOffset + this.position - this.#windowStart,
      length,
    );
    this.position = end;
    return view;
  }
}
