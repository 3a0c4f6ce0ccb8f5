/**
 * Finds the weights in an ONNX model (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) without reading
 * them into memory: the type, shape and place of every initializer, and the nodes that use them.
 */
import { errorMessage } from '../../base/error-message.ts';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { ByteSource } from '../sources/byte-source.ts';
import { protobufFields, type ProtobufField } from '../sources/protobuf-fields.ts';

export interface Initializer {
  name: string;
  type: 'float' | 'uint8' | 'int8' | 'other';
  /** Outermost dimension first; empty for a scalar. */
  shape: number[];
  /** The place of its raw bytes in the file; null if it is stored as a list of numbers. */
  raw: { offset: number; bytes: number } | null;
  /** The numbers, if it is stored as a list of them. */
  numbers: number[];
}

export interface OnnxNode {
  name: string;
  operator: string;
  inputs: string[];
}

export interface OnnxGraph {
  initializers: Map<string, Initializer>;
  nodes: OnnxNode[];
}

/** Field numbers of onnx.proto. */
const model = { graph: 7 };
const graph = { node: 1, initializer: 5 };
const node = { input: 1, name: 3, operator: 4 };
const tensor = { dims: 1, type: 2, floats: 4, integers: 5, name: 8, raw: 9, location: 14 };

const limits = { fields: 1 << 20, nodeBytes: 1 << 20, nameBytes: 1 << 12, listBytes: 1 << 20 };

export async function readOnnxGraph(source: ByteSource, path: string): Promise<OnnxGraph> {
  try {
    for await (const field of protobufFields(source, 0, source.bytes))
      if (field.number === model.graph) return await readGraph(source, field);
  } catch (error) {
    const reason = errorMessage(error);
    throw new Error(`${path} is no whole ONNX model: ${reason}`, { cause: error });
  }
  throw new Error(`${path} is no ONNX model: it holds no graph`);
}

async function readGraph(source: ByteSource, { start, end }: ProtobufField): Promise<OnnxGraph> {
  const initializers = new Map<string, Initializer>();
  const nodes: OnnxNode[] = [];
  let count = 0;
  for await (const field of protobufFields(source, start, end)) {
    if (++count > limits.fields) throw new Error(`its graph has more than ${limits.fields} parts`);
    if (field.number === graph.node) nodes.push(await readNode(source, field));
    if (field.number === graph.initializer) {
      const initializer = await readInitializer(source, field);
      initializers.set(initializer.name, initializer);
    }
  }
  return { initializers, nodes };
}

async function readNode(source: ByteSource, field: ProtobufField): Promise<OnnxNode> {
  const reader = new BinaryReader(await readSmall(source, field, limits.nodeBytes));
  const result: OnnxNode = { name: '', operator: '', inputs: [] };
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === node.input) result.inputs.push(reader.string());
    else if (number === node.name) result.name = reader.string();
    else if (number === node.operator) result.operator = reader.string();
    else reader.skip(wireType, number);
  }
  return result;
}

async function readInitializer(source: ByteSource, whole: ProtobufField): Promise<Initializer> {
  const result: Initializer = { name: '', type: 'other', shape: [], raw: null, numbers: [] };
  for await (const field of protobufFields(source, whole.start, whole.end))
    switch (field.number) {
      case tensor.dims:
        result.shape.push(...(await readSizes(source, field)));
        break;
      case tensor.type:
        result.type = typeOf(field.value);
        break;
      case tensor.name:
        result.name = new TextDecoder().decode(await readSmall(source, field, limits.nameBytes));
        break;
      case tensor.raw:
        result.raw = { offset: field.start, bytes: field.end - field.start };
        break;
      case tensor.floats:
      case tensor.integers:
        result.numbers.push(...(await readNumbers(source, field)));
        break;
      case tensor.location:
        if (field.value !== 0)
          throw new Error(
            `${result.name} keeps its weights in another file, which is not supported here`,
          );
    }
  return result;
}

function typeOf(number: number): Initializer['type'] {
  switch (number) {
    case 1:
      return 'float';
    case 2:
      return 'uint8';
    case 3:
      return 'int8';
    default:
      return 'other';
  }
}

/** A repeated field comes as one value each, or packed. */
async function readSizes(source: ByteSource, field: ProtobufField): Promise<number[]> {
  if (field.end === field.start) return [field.value];
  const reader = new BinaryReader(await readSmall(source, field, limits.nameBytes));
  const sizes: number[] = [];
  while (reader.pos < reader.len) sizes.push(Number(reader.int64()));
  return sizes;
}

async function readNumbers(source: ByteSource, field: ProtobufField): Promise<number[]> {
  if (field.end === field.start) return [field.value];
  const reader = new BinaryReader(await readSmall(source, field, limits.listBytes));
  const numbers: number[] = [];
  while (reader.pos < reader.len)
    numbers.push(field.number === tensor.floats ? reader.float() : reader.int32());
  return numbers;
}

async function readSmall(
  source: ByteSource,
  { start, end }: ProtobufField,
  limit: number,
): Promise<Uint8Array> {
  if (end - start > limit)
    throw new Error(
      `the part at byte ${start} has ${end - start} bytes, where ${limit} are enough`,
    );
  return source.read(start, end - start);
}
