/** Starts ONNX Runtime in this worker, in the build for the backend, from the given binary. */
import { errorMessage } from '../base/error-message.ts';
import asyncifyModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import wasmModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import type { Backend, EngineInfo, EngineOptions } from './engine.ts';
import { openGpu } from './gpu-device.ts';
import { createGraph } from './onnx/graph.ts';
import { createSession, type Runtime } from './runtime.ts';

export type LoadRuntimeOptions = Pick<EngineOptions, 'backend' | 'threads' | 'runtimeBinary'>;

/** The address of each build's loader module; every thread loads it again. */
const loaderUrl: Record<Backend, string> = { webgpu: asyncifyModuleUrl, wasm: wasmModuleUrl };

/** @throws Error with a sentence for people if this device cannot run the backend */
export async function loadRuntime(options: LoadRuntimeOptions): Promise<Runtime> {
  const { backend } = options;
  const ort =
    backend === 'webgpu'
      ? await import('onnxruntime-web/webgpu')
      : await import('onnxruntime-web/wasm');
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? options.threads : 1;
  ort.env.wasm.wasmBinary = options.runtimeBinary;
  ort.env.wasm.wasmPaths = { mjs: new URL(loaderUrl[backend], import.meta.url).href };

  const device = backend === 'webgpu' ? await openGpu() : null;
  const runtime: Runtime = { ort, device, info: describe(device) };
  await startSession(runtime);
  return runtime;
}

/** The first session starts the runtime. It is better to fail here, with a clear message, than at the first layer. */
async function startSession(runtime: Runtime): Promise<void> {
  const graph = createGraph('start');
  const x = graph.input('x', 'float32', [1]);
  graph.output(graph.node('Add', [x, x]), 'float32', [1]);
  const { backend } = runtime.info;
  try {
    const session = await createSession(runtime, graph.compose(), []);
    await session.release();
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new Error(`ONNX Runtime did not start with ${backend} on this device: ${reason}`, {
      cause,
    });
  }
}

function describe(device: GPUDevice | null): EngineInfo {
  if (!device) return { backend: 'wasm', adapter: 'WebAssembly', shaderF16: false };
  const { vendor, architecture, description } = device.adapterInfo;
  return {
    backend: 'webgpu',
    adapter: description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter',
    shaderF16: device.features.has('shader-f16'),
  };
}
