/**
 * A projection, x·Wᵀ: turns stored weights into what the device computes with, and adds the operator
 * that is fastest there. Which one that is was measured (medians, 1024 × 1024, one position, wasm):
 * FusedMatMul f32 0.14 ms, DynamicQuantizeMatMul int8 0.14, MatMulNBits 8 bits 1.2, 4 bits 1.5.
 */
import { blockLayout } from '../model/dtype.ts';
import type { EngineInfo, StoredTensor, WeightType } from './engine.ts';
import type { Graph, Value } from './onnx/graph.ts';
import {
  blocksOf,
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

/** What layers can compute with on this device when `asked` for: f16 needs 16-bit shaders, else f32. */
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
        : addBlocks(graph, x, name, shape, stack, 8);
    case 'q4':
      return addBlocks(graph, x, name, shape, stack, 4);
  }
}

/** Blocks cannot be cut: a matrix whose rows are no whole number of them stays exact. */
function weightsFor({ info, weights }: LinearOptions, { inputs }: Matrix): WeightType {
  const type = computedWith(info, weights);
  const inBlocks = type === 'q4' || (type === 'q8' && info.backend === 'webgpu');
  return inBlocks && inputs % blockLayout.Q8_0.blockSize !== 0 ? 'f32' : type;
}

type Adder = (graph: Graph, x: Value, name: string, shape: Matrix, stack: StoredTensor[]) => Value;

/** Takes weights as they are stored; WebGPU does not have this operator. */
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

/** Only the product is in 16 bits; what flows between operators stays f32. */
const addColumnsF16: Adder = (graph, x, name, shape, stack) => {
  const values = f16Columns(stack);
  const product = graph.node('MatMul', [
    graph.cast(x, 'float16'),
    graph.constant(name, 'float16', [shape.inputs, shape.outputs], values),
  ]);
  return graph.cast(product, 'float32');
};

/** Activations are scaled to 8 bits too, over the whole run: results depend on how a run is cut. */
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

function addBlocks(
  graph: Graph,
  x: Value,
  name: string,
  { outputs, inputs }: Matrix,
  stack: StoredTensor[],
  bits: 4 | 8,
): Value {
  const { blockSize } = blockLayout.Q8_0;
  const blocks = inputs / blockSize;
  const { values, scales } = blocksOf(stack, bits);
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
