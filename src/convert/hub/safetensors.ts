/**
 * Reads the header of a safetensors file (https://github.com/huggingface/safetensors): eight bytes of length,
 * then JSON with the type, shape and place of every tensor. The weights are not read.
 */
import * as v from 'valibot';
import { tensorBytes, type Dtype } from '../../model/numbers/dtype.ts';
import type { ByteSource } from '../sources/byte-source.ts';

export interface StoredRange {
  dtype: Dtype;
  /** Outermost dimension first. */
  shape: number[];
  /** From the start of the file. */
  offset: number;
  bytes: number;
}

/** The format's own limit on its header. */
const maxHeaderBytes = 100_000_000;

const size = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 50));
const EntrySchema = v.object({
  dtype: v.string(),
  shape: v.pipe(v.array(size), v.maxLength(8)),
  data_offsets: v.tuple([size, size]),
});

/**
 * Leaves out tensors of types other than F32, F16 and BF16.
 *
 * @param onLeftOut called with each of those
 * @throws Error that names the file, and the tensor if one is at fault
 */
export async function readSafetensors(
  source: ByteSource,
  path: string,
  onLeftOut: (tensor: { name: string; dtype: string }) => void = () => undefined,
): Promise<Map<string, StoredRange>> {
  const { header, dataStart } = await readHeader(source, path);
  const tensors = new Map<string, StoredRange>();
  const spans: { name: string; start: number; end: number }[] = [];
  for (const [name, raw] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const entry = v.safeParse(EntrySchema, raw);
    if (!entry.success) throw new Error(`${path}: the header's entry for ${name} is broken`);
    const { dtype, shape, data_offsets: span } = entry.output;
    const [start, end] = span;
    if (start > end || dataStart + end > source.bytes)
      throw new Error(
        `${path}: ${name} lies at bytes ${start} to ${end} of the data, of which there are ` +
          `${source.bytes - dataStart}: the file is cut short, or lies`,
      );
    spans.push({ name, start, end });
    if (!isReadable(dtype) || shape.length === 0) {
      onLeftOut({ name, dtype });
      continue;
    }
    const bytes = tensorBytes(dtype, shape);
    if (bytes !== end - start)
      throw new Error(
        `${path}: ${name} is ${dtype} [${shape.join(', ')}], which takes ${bytes} bytes, ` +
          `but has ${end - start}`,
      );
    tensors.set(name, { dtype, shape, offset: dataStart + start, bytes });
  }
  refuseOverlaps(spans, path);
  return tensors;
}

/**
 * The stored type and length of every tensor, also of types that no layer reads. Entries without them are left out.
 *
 * @throws Error where the file is no safetensors file
 */
export async function storedTypes(
  source: ByteSource,
  path: string,
): Promise<{ dtype: string; bytes: number }[]> {
  const { header } = await readHeader(source, path);
  return Object.values(header).flatMap((raw) => {
    const entry = v.safeParse(EntrySchema, raw);
    if (!entry.success) return [];
    const [start, end] = entry.output.data_offsets;
    return [{ dtype: entry.output.dtype, bytes: Math.max(0, end - start) }];
  });
}

async function readHeader(
  source: ByteSource,
  path: string,
): Promise<{ header: object; dataStart: number }> {
  if (source.bytes < 8)
    throw new Error(`${path} is no safetensors file: it has only ${source.bytes} bytes`);
  const length = new DataView((await source.read(0, 8)).buffer).getBigUint64(0, true);
  if (length > BigInt(Math.min(maxHeaderBytes, source.bytes - 8)))
    throw new Error(
      `${path} is no whole safetensors file: it claims a header of ${length.toString()} bytes, ` +
        `and has ${source.bytes} in all`,
    );
  const dataStart = 8 + Number(length);
  const text = new TextDecoder().decode(await source.read(8, Number(length)));
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is no safetensors file: its header is not JSON`, { cause: error });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new Error(`${path} is no safetensors file: its header is not an object`);
  return { header, dataStart };
}

function isReadable(dtype: string): dtype is 'F32' | 'F16' | 'BF16' {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

function refuseOverlaps(spans: { name: string; start: number; end: number }[], path: string): void {
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  for (let i = 1; i < spans.length; i++)
    if (spans[i].start < spans[i - 1].end)
      throw new Error(`${path}: ${spans[i - 1].name} and ${spans[i].name} overlap`);
}
