/** Builds one ONNX graph, node by node in the order of data flow. */
import {
  elementTypeNumber,
  encodeModel,
  isInline,
  type Attribute,
  type ElementType,
  type GraphSpec,
} from './model-proto.ts';

/** A tensor inside a graph under construction. */
export interface Value {
  readonly name: string;
}

/** A composed graph, ready for `InferenceSession.create(model, { externalData })`. */
export interface ComposedGraph {
  model: Uint8Array<ArrayBuffer>;
  externalData: { path: string; data: Uint8Array }[];
}

export interface NodeOptions {
  domain?: '' | 'com.microsoft';
  attributes?: Record<string, Attribute>;
}

export interface Graph {
  input(name: string, type: ElementType, shape: (number | string)[]): Value;
  /** A constant; the `data` of a large one is not copied. */
  constant(name: string, type: ElementType, shape: number[], data: ArrayBufferView): Value;
  /** One operator with one output; `null` leaves an optional input out. */
  node(operator: string, inputs: (Value | null)[], options?: NodeOptions): Value;
  /** One operator whose outputs are named; `null` leaves an optional output out. */
  nodeWith<const Names extends readonly (string | null)[]>(
    operator: string,
    inputs: (Value | null)[],
    outputs: Names,
    options?: NodeOptions,
  ): { [Index in keyof Names]: Value };
  cast(x: Value, type: ElementType): Value;
  /** Splits `x` along `axis` into `count` equal parts. */
  split(x: Value, axis: number, count: number): Value[];
  concat(parts: Value[], axis: number): Value;
  /** Makes a value an output of the graph, under its own name. */
  output(value: Value, type: ElementType, shape: (number | string)[]): void;
  /** Bytes of all constants. */
  constantBytes(): number;
  compose(): ComposedGraph;
}

export function createGraph(name: string): Graph {
  const spec: GraphSpec = { name, nodes: [], inputs: [], outputs: [], constants: [] };
  let unnamed = 0;

  function push(
    operator: string,
    inputs: (Value | null)[],
    outputs: string[],
    options: NodeOptions,
  ): void {
    spec.nodes.push({
      operator,
      domain: options.domain ?? '',
      inputs: inputs.map((value) => value?.name ?? ''),
      outputs,
      attributes: options.attributes ?? {},
    });
  }

  function node(operator: string, inputs: (Value | null)[], options: NodeOptions = {}): Value {
    const name = `${operator}_${unnamed++}_out`;
    push(operator, inputs, [name], options);
    return { name };
  }

  return {
    input(name, type, shape) {
      spec.inputs.push({ name, type, shape });
      return { name };
    },
    constant(name, type, shape, data) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      spec.constants.push({ name, type, shape, data: bytes });
      return { name };
    },
    node,
    nodeWith(operator, inputs, outputs, options = {}) {
      push(
        operator,
        inputs,
        outputs.map((output) => output ?? ''),
        options,
      );
      return outputs.map((output) => ({ name: output ?? '' })) as {
        [Index in keyof typeof outputs]: Value;
      };
    },
    split(x, axis, count) {
      if (count === 1) return [x];
      const outputs = Array.from({ length: count }, () => `Split_${unnamed++}_out`);
      push('Split', [x], outputs, { attributes: { axis, num_outputs: count } });
      return outputs.map((name) => ({ name }));
    },
    concat: (parts, axis) =>
      parts.length === 1 ? parts[0] : node('Concat', parts, { attributes: { axis } }),
    cast: (x, type) => node('Cast', [x], { attributes: { to: elementTypeNumber[type] } }),
    output(value, type, shape) {
      spec.outputs.push({ name: value.name, type, shape });
    },
    constantBytes: () => spec.constants.reduce((sum, tensor) => sum + tensor.data.byteLength, 0),
    compose: () => ({
      model: encodeModel(spec),
      externalData: spec.constants
        .filter((constant) => !isInline(constant))
        .map(({ name, data }) => ({ path: name, data })),
    }),
  };
}
