/** Opens the GPU with all that it offers: the engine owns its device, so that ending it frees its memory. */

/** What ONNX Runtime uses where it is there. */
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

/** Throws, in a sentence, where there is no WebGPU. */
export async function openGpu(): Promise<GPUDevice> {
  // Absent in browsers without WebGPU, whatever the type says.
  const gpu = (navigator as { gpu?: GPU }).gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new Error('this browser offers no WebGPU here: use the wasm backend on this device');
  return adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
}
