/** What this browser gives a page that wants to compute, connect and keep. */
import { assumedThreads, chooseBackend } from '../../profile/this-device.ts';
import { canPlay } from '../hiding/quiet-tone.ts';
import { relayReach, type RelayReach } from './relay-reach.ts';
import { storageUsage } from '../../room/index.ts';

export interface Capabilities {
  /** HTTPS or localhost; without it a browser withholds the GPU, the disk and cryptography. */
  secureContext: boolean;
  /** `software`: WebGPU is there, and computes on the processor, slower than WebAssembly does. */
  webGpu: 'hardware' | 'software' | 'none';
  /** Threads that the WebAssembly path would use; 1 where the page is not cross-origin isolated. */
  threads: number;
  crossOriginIsolated: boolean;
  webRtc: boolean;
  relay: RelayReach;
  storage: 'kept' | 'full' | 'refused';
  wakeLock: boolean;
  sound: boolean;
  hidden: boolean;
}

/** Less than a small model's layers. */
const littleSpaceBytes = 64e6;

export async function readCapabilities(): Promise<Capabilities> {
  const [webGpu, relay, storage] = await Promise.all([webGpuKind(), relayReach(), storageState()]);
  return {
    secureContext: isSecureContext,
    webGpu,
    threads: assumedThreads(),
    crossOriginIsolated,
    webRtc: 'RTCPeerConnection' in globalThis,
    relay,
    storage,
    wakeLock: 'wakeLock' in navigator,
    sound: canPlay(),
    hidden: document.hidden,
  };
}

async function webGpuKind(): Promise<Capabilities['webGpu']> {
  if (!('gpu' in navigator)) return 'none';
  if ((await chooseBackend()) === 'webgpu') return 'hardware';
  return (await navigator.gpu.requestAdapter().catch(() => null)) ? 'software' : 'none';
}

async function storageState(): Promise<Capabilities['storage']> {
  if ((await storageUsage()) === null) return 'refused';
  const { quota = Infinity, usage = 0 } = await estimate();
  return quota - usage < littleSpaceBytes ? 'full' : 'kept';
}

async function estimate(): Promise<StorageEstimate> {
  const { storage } = navigator as { storage?: StorageManager };
  return (await storage?.estimate().catch(() => ({}))) ?? {};
}
