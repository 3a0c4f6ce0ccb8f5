/** What this browser gives a page that wants to compute, connect and keep. */
import { assumedThreads, chooseBackend } from '../../profile/this-device.ts';
import { storageUsage } from '../../room/storage.ts';

export interface Capabilities {
  /** HTTPS or localhost; without it a browser withholds the GPU, the disk and cryptography. */
  secureContext: boolean;
  hardwareGpu: boolean;
  /** Threads that the WebAssembly path would use; 1 where the page is not cross-origin isolated. */
  threads: number;
  crossOriginIsolated: boolean;
  webRtc: boolean;
  storage: boolean;
}

export async function readCapabilities(): Promise<Capabilities> {
  return {
    secureContext: isSecureContext,
    hardwareGpu: (await chooseBackend()) === 'webgpu',
    threads: assumedThreads(),
    crossOriginIsolated,
    webRtc: 'RTCPeerConnection' in globalThis,
    storage: (await storageUsage()) !== null,
  };
}
