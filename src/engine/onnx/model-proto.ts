/**
 * Encodes an ONNX `ModelProto` as protobuf bytes. Field numbers are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; only those that our graphs use are here.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export type ElementType = 'float32' | 'float16' | 'uint8' | 'int8' | 'int32' | 'int64';

export type Attribute = number | { float: number } | { ints: number[] };

export interface NodeSpec {
  operator: string;
  /** Operator domain; '' is ONNX's own. */
  domain: '' | 'com.microsoft';
  /** Names of values; '' leaves an optional input or output out. */
  inputs: string[];
  outputs: string[];
  /** A bare number is an integer attribute. */
  attributes: Record<string, Attribute>;
}

/** A graph's input or output. A named dimension may have any size. */
export interface ValueSpec {
  name: string;
  type: ElementType;
  shape: (number | string)[];
}

export interface ConstantSpec {
  name: string;
  type: ElementType;
  shape: number[];
  /** Little-endian elements. They are part of the model only if `isInline` says so. */
  data: Uint8Array;
}

export interface GraphSpec {
  name: string;
  nodes: NodeSpec[];
  inputs: ValueSpec[];
  outputs: ValueSpec[];
  constants: ConstantSpec[];
}

const field = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, float: 2, int: 3, ints: 8, type: 20 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  value: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { element: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, parameter: 2 },
} as const;

export const elementTypeNumber: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  float16: 10,
};

const attributeTypeNumber = { float: 1, int: 2, ints: 7 } as const;
const externalLocation = 1;
const irVersion = 10;
const opsets = [
  { domain: '', version: 21 },
  { domain: 'com.microsoft', version: 1 },
];

/**
 * Small constants go into the model, because ONNX Runtime infers shapes from them. Weights are passed beside
 * the model, with their name as a path, which saves a copy.
 */
export function isInline(constant: ConstantSpec): boolean {
  return constant.data.byteLength <= 256;
}

export function encodeModel(graph: GraphSpec): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeInteger(writer, field.model.irVersion, irVersion);
  writeString(writer, field.model.producerName, 'edgeshard');
  writeMessage(writer, field.model.graph, () => writeGraph(writer, graph));
  for (const opset of opsets)
    writeMessage(writer, field.model.opsetImport, () => {
      writeString(writer, field.opset.domain, opset.domain);
      writeInteger(writer, field.opset.version, opset.version);
    });
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: GraphSpec): void {
  graph.nodes.forEach((node, index) =>
    writeMessage(writer, field.graph.node, () =>
      writeNode(writer, node, `${node.operator}_${index}`),
    ),
  );
  writeString(writer, field.graph.name, graph.name);
  for (const tensor of graph.constants)
    writeMessage(writer, field.graph.initializer, () => writeTensor(writer, tensor));
  for (const value of graph.inputs)
    writeMessage(writer, field.graph.input, () => writeValue(writer, value));
  for (const value of graph.outputs)
    writeMessage(writer, field.graph.output, () => writeValue(writer, value));
}

function writeNode(writer: BinaryWriter, node: NodeSpec, name: string): void {
  for (const input of node.inputs) writeString(writer, field.node.input, input);
  for (const output of node.outputs) writeString(writer, field.node.output, output);
  writeString(writer, field.node.name, name);
  writeString(writer, field.node.operator, node.operator);
  for (const [key, attribute] of Object.entries(node.attributes))
    writeMessage(writer, field.node.attribute, () => writeAttribute(writer, key, attribute));
  writeString(writer, field.node.domain, node.domain);
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: Attribute): void {
  writeString(writer, field.attribute.name, name);
  if (typeof attribute === 'number') {
    writeInteger(writer, field.attribute.int, attribute);
    writeInteger(writer, field.attribute.type, attributeTypeNumber.int);
  } else if ('float' in attribute) {
    writer.tag(field.attribute.float, WireType.Bit32).float(attribute.float);
    writeInteger(writer, field.attribute.type, attributeTypeNumber.float);
  } else {
    for (const value of attribute.ints) writeInteger(writer, field.attribute.ints, value);
    writeInteger(writer, field.attribute.type, attributeTypeNumber.ints);
  }
}

function writeTensor(writer: BinaryWriter, tensor: ConstantSpec): void {
  for (const size of tensor.shape) writeInteger(writer, field.tensor.dims, size);
  writeInteger(writer, field.tensor.dataType, elementTypeNumber[tensor.type]);
  writeString(writer, field.tensor.name, tensor.name);
  if (isInline(tensor)) {
    writer.tag(field.tensor.rawData, WireType.LengthDelimited).bytes(tensor.data);
    return;
  }
  const where = { location: tensor.name, offset: '0', length: `${tensor.data.byteLength}` };
  for (const [key, value] of Object.entries(where))
    writeMessage(writer, field.tensor.externalData, () => {
      writeString(writer, field.entry.key, key);
      writeString(writer, field.entry.value, value);
    });
  writeInteger(writer, field.tensor.dataLocation, externalLocation);
}

function writeValue(writer: BinaryWriter, value: ValueSpec): void {
  writeString(writer, field.value.name, value.name);
  writeMessage(writer, field.value.type, () =>
    writeMessage(writer, field.type.tensor, () => {
      writeInteger(writer, field.tensorType.element, elementTypeNumber[value.type]);
      writeMessage(writer, field.tensorType.shape, () => {
        for (const size of value.shape)
          writeMessage(writer, field.shape.dimension, () => {
            if (typeof size === 'number') writeInteger(writer, field.dimension.value, size);
            else writeString(writer, field.dimension.parameter, size);
          });
      });
    }),
  );
}

function writeString(writer: BinaryWriter, fieldNumber: number, text: string): void {
  writer.tag(fieldNumber, WireType.LengthDelimited).string(text);
}

function writeInteger(writer: BinaryWriter, fieldNumber: number, value: number): void {
  writer.tag(fieldNumber, WireType.Varint).int64(value);
}

function writeMessage(writer: BinaryWriter, fieldNumber: number, body: () => void): void {
  writer.tag(fieldNumber, WireType.LengthDelimited).fork();
  body();
  writer.join();
}
