/** ONNX Runtime as the engine uses it, in whichever build was loaded. */
import type * as OnnxRuntime from 'onnxruntime-web';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { release } from '../model/release.ts';
import type { EngineInfo } from './engine.ts';
import type { ComposedGraph } from './onnx/graph.ts';

export type Ort = Pick<typeof OnnxRuntime, 'InferenceSession' | 'Tensor'>;

/** One loaded ONNX Runtime, with the device it computes on. */
export interface Runtime {
  ort: Ort;
  info: EngineInfo;
  /** Present on the WebGPU backend: the device that ONNX Runtime computes on. */
  device: GPUDevice | null;
}

export type Session = InferenceSession;
export type RunTensor = Tensor;

/**
 * Turns a composed graph into a session. Its constants cannot be read afterwards. The named outputs stay on
 * the GPU, if there is one.
 */
export async function createSession(
  { ort, device }: Runtime,
  graph: ComposedGraph,
  gpuOutputs: string[],
): Promise<Session> {
  const session = await ort.InferenceSession.create(graph.model, {
    externalData: graph.externalData,
    logSeverityLevel: onlyErrors,
    ...(device
      ? {
          executionProviders: [{ name: 'webgpu', device }],
          preferredOutputLocation: Object.fromEntries(
            gpuOutputs.map((name) => [name, 'gpu-buffer']),
          ),
        }
      : { executionProviders: ['wasm'] }),
  });
  for (const { data } of graph.externalData) release(data);
  return session;
}

const onlyErrors = 3;

export function int64(ort: Ort, value: number): RunTensor {
  return new ort.Tensor('int64', BigInt64Array.of(BigInt(value)), [1]);
}

export function float32(ort: Ort, values: Float32Array, shape: number[]): RunTensor {
  return new ort.Tensor('float32', values, shape);
}

/** A tensor's values once they are computed; the tensor cannot be used afterwards. */
export async function takeFloats(tensor: RunTensor): Promise<Float32Array> {
  const values = await tensor.getData(true);
  if (!(values instanceof Float32Array)) throw new TypeError(`expected f32, got ${tensor.type}`);
  return values;
}
