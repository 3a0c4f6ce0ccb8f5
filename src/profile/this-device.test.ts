import { afterEach, describe, expect, it, vi } from 'vitest';
import { assumedThreads, chooseBackend, deviceLabel, thisPlatform } from './this-device.ts';

afterEach(() => vi.unstubAllGlobals());

/** Makes this process look like a browser with these properties. */
function beBrowser(navigator: object, isIsolated = true): void {
  vi.stubGlobal('navigator', { userAgent: '', maxTouchPoints: 0, ...navigator });
  vi.stubGlobal('crossOriginIsolated', isIsolated);
}

const mozilla = 'Mozilla/5.0';
const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const agents = {
  chromeOnAndroid: `${mozilla} (Linux; Android 10; K) ${webkit} Chrome/150.0.0.0 Mobile Safari/537.36`,
  chromeOnLinux: `${mozilla} (X11; Linux x86_64) ${webkit} Chrome/150.0.0.0 Safari/537.36`,
  chromeOs: `${mozilla} (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/150.0.0.0 Safari/537.36`,
  edgeOnWindows: `${mozilla} (Windows NT 10.0; Win64; x64) ${webkit} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0`,
  firefoxOnWindows: `${mozilla} (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0`,
  safariOnIphone: `${mozilla} (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${webkit} Version/18.5 Mobile/15E148 Safari/604.1`,
  safariOnMac: `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/18.5 Safari/605.1.15`,
};

describe('this device', () => {
  it.each([
    ['Chrome on Android', agents.chromeOnAndroid, 5],
    ['Chrome on Linux', agents.chromeOnLinux, 0],
    ['Chrome on ChromeOS', agents.chromeOs, 0],
    ['Edge on Windows', agents.edgeOnWindows, 0],
    ['Firefox on Windows', agents.firefoxOnWindows, 0],
    ['Safari on iPhone', agents.safariOnIphone, 5],
    ['Safari on Mac', agents.safariOnMac, 0],
    // An iPad states that it is a Macintosh; only its touch screen shows the difference.
    ['Safari on iPad', agents.safariOnMac, 5],
    ['A browser on an unknown system', 'curl/8', 0],
  ])('calls itself %s', (label, userAgent, maxTouchPoints) => {
    beBrowser({ userAgent, maxTouchPoints });
    expect(deviceLabel()).toBe(label);
  });

  it('tells a phone or tablet from a computer, and how much memory it has', () => {
    beBrowser({ userAgent: agents.chromeOnAndroid, deviceMemory: 4 });
    expect(thisPlatform('webgpu')).toEqual({
      deviceMemoryGiB: 4,
      isIos: false,
      isPhoneOrTablet: true,
      backend: 'webgpu',
    });
    beBrowser({ userAgent: agents.safariOnMac, maxTouchPoints: 5 });
    expect(thisPlatform('wasm')).toMatchObject({ isIos: true, isPhoneOrTablet: true });
    beBrowser({ userAgent: agents.safariOnMac });
    expect(thisPlatform('wasm')).toEqual({
      isIos: false,
      isPhoneOrTablet: false,
      backend: 'wasm',
    });
  });

  it.each([
    [1, 1],
    [2, 1],
    [8, 4],
    [64, 4],
  ])('of %i logical cores computes with %i threads', (hardwareConcurrency, threads) => {
    beBrowser({ hardwareConcurrency });
    expect(assumedThreads()).toBe(threads);
  });

  it('computes with one thread where the page may share no memory', () => {
    beBrowser({ hardwareConcurrency: 8 }, false);
    expect(assumedThreads()).toBe(1);
  });
});

describe('chooseBackend', () => {
  function adapter(info: object): object {
    const whole = { isFallbackAdapter: false, description: '', architecture: '', ...info };
    return { requestAdapter: () => Promise.resolve({ info: whole }) };
  }

  it.each([
    ['no WebGPU', undefined, 'wasm'],
    ['no adapter', { requestAdapter: () => Promise.resolve(null) }, 'wasm'],
    ['an adapter that fails', { requestAdapter: () => Promise.reject(new Error('lost')) }, 'wasm'],
    ['a graphics card', adapter({ architecture: 'metal-3' }), 'webgpu'],
    ['a fallback adapter', adapter({ isFallbackAdapter: true }), 'wasm'],
    ['SwiftShader', adapter({ architecture: 'swiftshader' }), 'wasm'],
    ['llvmpipe', adapter({ description: 'llvmpipe (LLVM 19)' }), 'wasm'],
  ])('with %s', async (_, gpu, backend) => {
    beBrowser({ gpu });
    expect(await chooseBackend()).toBe(backend);
  });
});
