/** What this browser states about the device it runs on. */
import type { Backend } from '../engine/engine.ts';
import type { Platform } from './memory-budget.ts';

interface UserAgentData {
  brands?: { brand: string }[];
  platform?: string;
  mobile?: boolean;
}

type NavigatorHints = Navigator & { deviceMemory?: number; userAgentData?: UserAgentData };

/** A name for this tab, such as "Chrome on Android" or "Safari on iPhone". */
export function deviceLabel(): string {
  const agent = navigator.userAgent;
  return `${browserName(agent)} on ${systemName(agent)}`;
}

export function thisPlatform(backend: Backend): Platform {
  const { deviceMemory } = navigator as NavigatorHints;
  const system = systemName(navigator.userAgent);
  const isIos = system === 'iPhone' || system === 'iPad';
  return {
    ...(deviceMemory !== undefined && { deviceMemoryGiB: deviceMemory }),
    isIos,
    isPhoneOrTablet: isIos || system === 'Android',
    backend,
  };
}

/** WebGPU if there is a hardware adapter, otherwise wasm: a software adapter is several times slower than wasm. */
export async function chooseBackend(): Promise<Backend> {
  const { gpu } = navigator as { gpu?: GPU };
  const adapter = await gpu
    ?.requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (!adapter) return 'wasm';
  const software =
    adapter.info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(adapter.info.description);
  return software || /swiftshader/i.test(adapter.info.architecture) ? 'wasm' : 'webgpu';
}

/**
 * Threads for the wasm backend: half the logical cores, because two hyper-threads share one core's
 * arithmetic, and at most 4, because small models gain nothing from more. Threads need shared memory, so a
 * page that is not cross-origin isolated gets 1.
 */
export function assumedThreads(): number {
  if (!crossOriginIsolated) return 1;
  return Math.max(1, Math.min(4, Math.floor(navigator.hardwareConcurrency / 2)));
}

function browserName(agent: string): string {
  if (agent.includes('Firefox/') || agent.includes('FxiOS/')) return 'Firefox';
  if (agent.includes('Edg/') || agent.includes('EdgA/') || agent.includes('EdgiOS/')) return 'Edge';
  if (agent.includes('Chrome/') || agent.includes('CriOS/')) return 'Chrome';
  if (agent.includes('Safari/')) return 'Safari';
  return 'A browser';
}

function systemName(agent: string): string {
  if (agent.includes('iPhone')) return 'iPhone';
  // An iPad states that it is a Macintosh; no Macintosh has a touch screen.
  if (agent.includes('iPad') || (agent.includes('Macintosh') && navigator.maxTouchPoints > 1))
    return 'iPad';
  if (agent.includes('Android')) return 'Android';
  if (agent.includes('Macintosh')) return 'Mac';
  if (agent.includes('Windows')) return 'Windows';
  if (agent.includes('CrOS')) return 'ChromeOS';
  if (agent.includes('Linux')) return 'Linux';
  return 'an unknown system';
}
