/**
 * Opens a Hugging Face folder whose weights are the int8 initializers of an ONNX graph, as written by ONNX
 * Runtime's dynamic quantisation: (q - zero point) × scale, matrices [in, out].
 */
import { embeddingName, layerTensors, type TensorShape } from '../../model/architecture.ts';
import { tensorBytes } from '../../model/numbers/dtype.ts';
import type { ManifestTensor } from '../../model/manifest.ts';
import { checkRange, joinSources, type ByteSource } from '../sources/byte-source.ts';
import { checkpointOf, type Checkpoint, type ModelLabel } from '../checkpoint.ts';
import type { FileTree } from '../sources/file-tree.ts';
import { readDescription } from '../hub/hub-model.ts';
import { readOnnxGraph, type Initializer, type OnnxGraph } from './onnx-graph.ts';

/**
 * @param path of the ONNX file inside the folder
 * @returns a checkpoint whose weight file exists only in memory: its f32 numbers are computed when read
 */
export async function openOnnxInt8(
  tree: FileTree,
  path: string,
  label: ModelLabel,
): Promise<Checkpoint> {
  const tokenizer = await tree.open('tokenizer.json');
  const { config, about } = await readDescription(tree, tokenizer);
  const file = await tree.open(path);
  if (!file) throw new Error(`there is no ${path}`);
  const source = rememberLast(file);
  const graph = await readOnnxGraph(source, path);
  const sources: ByteSource[] = [];
  const placed = new Map<string, ManifestTensor>();
  let end = 0;
  for (const { name, shape } of layerTensors(config).flatMap(({ tensors }) => tensors)) {
    if (placed.has(name)) continue;
    const bytes = tensorBytes('F32', shape);
    placed.set(name, { name, dtype: 'F32', shape, file: 0, offset: end, bytes });
    sources.push(await floatsOf({ name, shape }, graph, source, path));
    end += bytes;
  }
  return checkpointOf({
    label,
    config,
    layers: layerTensors(config).map((layer) => ({
      ...layer,
      tensors: layer.tensors.flatMap(({ name }) => placed.get(name) ?? []),
    })),
    weights: [{ path: 'weights.bin', source: joinSources(sources) }],
    tokenizer,
    ...about,
  });
}

/** A tensor's numbers as f32, computed from its initializers. */
async function floatsOf(
  tensor: TensorShape,
  graph: OnnxGraph,
  source: ByteSource,
  path: string,
): Promise<ByteSource> {
  const plain = graph.initializers.get(tensor.name);
  if (plain) return plainFloats(plain, tensor, source, path);
  // The embedding keeps its name and order. Matrices that are multiplied by are renamed and stored [in, out].
  const isEmbedding = tensor.name === embeddingName;
  const stem = isEmbedding ? tensor.name : multiplierOf(tensor.name, graph, path);
  const quantised = initializer(`${stem}_quantized`, graph, path);
  const storedShape = isEmbedding ? tensor.shape : tensor.shape.toReversed();
  if (quantised.shape.join() !== storedShape.join())
    throw new Error(
      `${path}: ${quantised.name} is ${quantised.shape.join(' × ')}, where ` +
        `${storedShape.join(' × ')} belongs for ${tensor.name}`,
    );
  const { raw, type } = quantised;
  if (
    !raw ||
    raw.bytes !== storedShape[0] * storedShape[1] ||
    (type !== 'int8' && type !== 'uint8')
  )
    throw new Error(`${path}: ${quantised.name} does not hold its numbers as 8-bit integers`);
  const scales = await numbersOf(initializer(`${stem}_scale`, graph, path), source);
  const zeroPoints = await numbersOf(initializer(`${stem}_zero_point`, graph, path), source);
  const [rows, columns] = tensor.shape;
  for (const list of [scales, zeroPoints])
    if (list.length !== 1 && (isEmbedding || list.length !== rows))
      throw new Error(
        `${path}: ${stem} has ${list.length} scales or zero points, where 1 or ${rows} belong`,
      );
  return dequantised({
    read: () => source.read(raw.offset, raw.bytes),
    signed: type === 'int8',
    transposed: !isEmbedding,
    rows,
    columns,
    scales,
    zeroPoints,
  });
}

function plainFloats(
  { raw, type, name }: Initializer,
  { shape }: TensorShape,
  source: ByteSource,
  path: string,
): ByteSource {
  const bytes = tensorBytes('F32', shape);
  if (!raw || type !== 'float' || raw.bytes !== bytes)
    throw new Error(`${path}: ${name} does not hold ${shape.join(' × ')} numbers as f32`);
  return {
    bytes,
    read: (offset, length) => {
      checkRange(offset, length, bytes);
      return source.read(raw.offset + offset, length);
    },
  };
}

/** The name, without suffix, of the matrix that this weight's node multiplies by. */
function multiplierOf(tensorName: string, { nodes }: OnnxGraph, path: string): string {
  const nodeName =
    `/${tensorName.replace(/\.weight$/, '').replaceAll('.', '/')}/MatMul_quant`.replace(
      /^\/model\/layers\/(\d+)\//,
      '/model/layers.$1/',
    );
  const node = nodes.find(({ name }) => name === nodeName);
  const input = node?.operator === 'MatMulInteger' ? node.inputs.at(1) : undefined;
  if (!input?.endsWith('_quantized'))
    throw new Error(`${path} has no quantised multiplication ${nodeName} for ${tensorName}`);
  return input.slice(0, -'_quantized'.length);
}

function initializer(name: string, { initializers }: OnnxGraph, path: string): Initializer {
  const found = initializers.get(name);
  if (!found) throw new Error(`${path} lacks the initializer ${name}`);
  return found;
}

const maxListed = 1 << 20;

async function numbersOf(
  { raw, numbers, type, name }: Initializer,
  source: ByteSource,
): Promise<number[]> {
  if (!raw) return numbers;
  if (raw.bytes > maxListed) throw new Error(`${name} is no short list: it has ${raw.bytes} bytes`);
  const bytes = await source.read(raw.offset, raw.bytes);
  switch (type) {
    case 'float':
      return Array.from(new Float32Array(bytes.buffer));
    case 'int8':
      return Array.from(new Int8Array(bytes.buffer));
    case 'uint8':
      return Array.from(bytes);
    case 'other':
      throw new Error(`${name} is of a type that no scale or zero point has`);
  }
}

/** Keeps the bytes read last: a matrix is converted slice by slice, and each slice needs all its bytes. */
function rememberLast(source: ByteSource): ByteSource {
  let last = { offset: -1, data: new Uint8Array() };
  return {
    bytes: source.bytes,
    read: async (offset, length) => {
      if (offset !== last.offset || length !== last.data.byteLength)
        last = { offset, data: await source.read(offset, length) };
      return last.data;
    },
  };
}

interface Quantised {
  read: () => Promise<Uint8Array<ArrayBuffer>>;
  signed: boolean;
  /** Whether it is stored [columns, rows]. */
  transposed: boolean;
  rows: number;
  columns: number;
  /** One for the whole matrix, or one for each row. */
  scales: number[];
  zeroPoints: number[];
}

/** The matrix as f32, [rows, columns]. */
function dequantised(matrix: Quantised): ByteSource {
  const { rows, columns, transposed, scales, zeroPoints } = matrix;
  const bytes = 4 * rows * columns;
  return {
    bytes,
    read: async (offset, length) => {
      checkRange(offset, length, bytes);
      const raw = await matrix.read();
      const integers = matrix.signed ? new Int8Array(raw.buffer) : raw;
      const first = Math.floor(offset / 4);
      const last = Math.ceil((offset + length) / 4);
      const values = new Float32Array(last - first);
      for (let i = first; i < last; i++) {
        const row = Math.floor(i / columns);
        const column = i - row * columns;
        const integer = integers[transposed ? column * rows + row : i];
        values[i - first] =
          (integer - zeroPoints[zeroPoints.length === 1 ? 0 : row]) *
          scales[scales.length === 1 ? 0 : row];
      }
      return new Uint8Array(values.buffer, offset - 4 * first, length).slice();
    },
  };
}
