/**
 * Adds a projection, x·Wᵀ, to a graph: converts the stored weights, and chooses the operator that is fastest
 * on the device. Medians for 1024 × 1024, one position, wasm: FusedMatMul f32 0.14 ms, DynamicQuantizeMatMul
 * int8 0.14, MatMulNBits 8 bits 1.2, 4 bits 1.5.
 */
import { blockLayout } from '../model/numbers/dtype.ts';
import type { EngineInfo, StoredTensor, WeightType } from './engine.ts';
import type { Graph, Value } from './onnx/graph.ts';
import {
  quantisedBlocks,
  columnValues,
  f16Columns,
  int8Columns,
  stackShape,
  stackValues,
  type Matrix,
} from './weight-layouts.ts';

export interface LinearOptions {
  graph: Graph;
  info: EngineInfo;
  weights: WeightType;
}

const microsoft = 'com.microsoft';

/** The type that layers compute with on this device when `asked` for: without 16-bit shaders f16 becomes f32. */
export function computedWith(info: EngineInfo, asked: WeightType): WeightType {
  return asked === 'f16' && !info.shaderF16 ? 'f32' : asked;
}

/** Projects `x` with these weights, each [out, in], stacked along `out`. */
export function addLinear(options: LinearOptions, x: Value, stack: StoredTensor[]): Value {
  const { graph, info } = options;
  const name = stack.map((tensor) => tensor.name).join('+');
  const shape = stackShape(stack);
  switch (weightsFor(options, shape)) {
    case 'f32':
      return info.backend === 'wasm'
        ? addRowsF32(graph, x, name, shape, stack)
        : addColumnsF32(graph, x, name, shape, stack);
    case 'f16':
      return addColumnsF16(graph, x, name, shape, stack);
    case 'q8':
      return info.backend === 'wasm'
        ? addInt8(graph, x, name, shape, stack)
        : addNBits(graph, x, name, shape, stack, 8);
    case 'q4':
      return addNBits(graph, x, name, shape, stack, 4);
  }
}

/** A matrix whose rows are not a whole number of quantisation blocks stays f32. */
function weightsFor({ info, weights }: LinearOptions, { inputs }: Matrix): WeightType {
  const type = computedWith(info, weights);
  const inBlocks = type === 'q4' || (type === 'q8' && info.backend === 'webgpu');
  return inBlocks && inputs % blockLayout.Q8_0.blockSize !== 0 ? 'f32' : type;
}

type Adder = (graph: Graph, x: Value, name: string, shape: Matrix, stack: StoredTensor[]) => Value;

/** Takes weights in stored order; WebGPU does not have this operator. */
const addRowsF32: Adder = (graph, x, name, { outputs, inputs }, stack) => {
  const values = stackValues(stack);
  return graph.node(
    'FusedMatMul',
    [x, graph.constant(name, 'float32', [outputs, inputs], values)],
    {
      domain: microsoft,
      attributes: { transB: 1 },
    },
  );
};

const addColumnsF32: Adder = (graph, x, name, shape, stack) => {
  const values = columnValues(stack);
  return graph.node('MatMul', [
    x,
    graph.constant(name, 'float32', [shape.inputs, shape.outputs], values),
  ]);
};

/** Only the product is in 16 bits; values between operators stay f32. */
const addColumnsF16: Adder = (graph, x, name, shape, stack) => {
  const values = f16Columns(stack);
  const product = graph.node('MatMul', [
    graph.cast(x, 'float16'),
    graph.constant(name, 'float16', [shape.inputs, shape.outputs], values),
  ]);
  return graph.cast(product, 'float32');
};

/** Activations are scaled to 8 bits too, over the whole run, so results depend on what shares the run. */
const addInt8: Adder = (graph, x, name, { outputs, inputs }, stack) => {
  const { values, scales } = int8Columns(stack);
  return graph.node(
    'DynamicQuantizeMatMul',
    [
      x,
      graph.constant(name, 'int8', [inputs, outputs], values),
      graph.constant(`${name}.scales`, 'float32', [outputs], scales),
    ],
    { domain: microsoft },
  );
};

function addNBits(
  graph: Graph,
  x: Value,
  name: string,
  { outputs, inputs }: Matrix,
  stack: StoredTensor[],
  bits: 4 | 8,
): Value {
  const { blockSize } = blockLayout.Q8_0;
  const blocks = inputs / blockSize;
  const { values, scales } = quantisedBlocks(stack, bits);
  return graph.node(
    'MatMulNBits',
    [
      x,
      graph.constant(name, 'uint8', [outputs, blocks, (blockSize * bits) / 8], values),
      graph.constant(`${name}.scales`, 'float32', [outputs, blocks], scales),
    ],
    { domain: microsoft, attributes: { K: inputs, N: outputs, bits, block_size: blockSize } },
  );
}
