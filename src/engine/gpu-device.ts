/**
 * Opens the GPU with the features and limits that it offers. The engine owns the device, so ending the engine
 * frees its memory.
 */

/** Features that ONNX Runtime uses if the GPU has them. */
const features = ['shader-f16', 'subgroups'] as const;

const limits = [
  'maxBindGroups',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
] as const;

/** @throws Error with a sentence for people if there is no WebGPU */
export async function openGpu(): Promise<GPUDevice> {
  // Absent in browsers without WebGPU, although the type says otherwise.
  const gpu = (navigator as { gpu?: GPU }).gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new Error('this browser offers no WebGPU here: use the wasm backend on this device');
  return adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
}
