/** A projection, x·Wᵀ: converts the stored weight and adds the operator that suits the device. */
import { dequantise } from '../model/dequantise.ts';
import type { Backend, StoredTensor, WeightType } from './engine.ts';
import type { Graph, Value } from './onnx/graph.ts';

export interface LinearOptions {
  graph: Graph;
  backend: Backend;
  weights: WeightType;
}

/** Projects `x` with these weights, each [out, in], stacked along `out`. */
export function addLinear({ graph }: LinearOptions, x: Value, stack: StoredTensor[]): Value {
  const name = stack.map((tensor) => tensor.name).join('+');
  const { outputs, inputs } = stackedShape(stack);
  const values = new Float32Array(outputs * inputs);
  let offset = 0;
  for (const tensor of stack) {
    const [rows = 0] = tensor.shape;
    dequantise(tensor.dtype, tensor.data, values.subarray(offset, offset + rows * inputs));
    offset += rows * inputs;
  }
  return graph.node(
    'FusedMatMul',
    [x, graph.constant(name, 'float32', [outputs, inputs], values)],
    { domain: 'com.microsoft', attributes: { transB: 1 } },
  );
}

function stackedShape(stack: StoredTensor[]): { outputs: number; inputs: number } {
  let outputs = 0;
  let inputs = 0;
  for (const { name, shape } of stack) {
    const [rows = 0, columns = 0] = shape;
    if (shape.length !== 2 || (inputs !== 0 && columns !== inputs))
      throw new Error(
        `${name} has shape [${shape.join(', ')}], expected a matrix [out, in] that fits its neighbours`,
      );
    outputs += rows;
    inputs = columns;
  }
  return { outputs, inputs };
}
