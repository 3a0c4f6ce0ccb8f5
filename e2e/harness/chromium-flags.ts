/** How every Chromium of the tests, the demo and the benchmark is started. */

const quiet = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Several tabs share one screen that nobody watches: none of them is in the background.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** WebGPU computed on the processor: slow, but the same path as on a graphics card. */
const softwareWebGpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

export function chromiumFlags({ webgpu }: { webgpu: boolean }): string[] {
  return webgpu ? [...quiet, ...softwareWebGpu] : quiet;
}
