import { describe, expect, it } from 'vitest';
import { parsePageOptions } from './page-options.ts';

describe('parsePageOptions', () => {
  it('leaves everything to the device and the planner where the address says nothing', () => {
    expect(parsePageOptions('')).toEqual({
      device: { backend: 'auto', threads: null, memoryBudgetBytes: null, relayOnly: false },
      host: {
        backend: 'auto',
        threads: null,
        memoryBudgetBytes: null,
        relayOnly: false,
        weights: 'auto',
        wire: 'f16',
        plan: 'auto',
        asking: 'approve',
        door: 'open',
        pipeline: 'no-bubbles',
        speculation: true,
        maxBatch: 16,
        contextLength: null,
        maxInFlight: null,
        prefillChunk: null,
        maxDevices: 16,
        expectedDevices: 1,
        standby: true,
      },
      modelName: null,
    });
  });

  it('reads an experiment', () => {
    const { device, host, modelName } = parsePageOptions(
      '?backend=wasm&threads=1&memory=512MB&weights=f32&wire=f32&path=relay&chunk=16&context=1024&devices=4&expected=3&model=stories15M',
    );
    expect(device).toEqual({
      backend: 'wasm',
      threads: 1,
      memoryBudgetBytes: 512e6,
      relayOnly: true,
    });
    expect(host).toMatchObject({
      weights: 'f32',
      wire: 'f32',
      prefillChunk: 16,
      contextLength: 1024,
      maxDevices: 4,
      expectedDevices: 3,
    });
    expect(modelName).toBe('stories15M');
  });

  it('reads sizes with a fraction and in gigabytes', () => {
    expect(parsePageOptions('?memory=1.5GB').device.memoryBudgetBytes).toBe(1.5e9);
  });

  it('reads an exact plan, one layer or a range at a stage', () => {
    expect(parsePageOptions('?plan=host:0-3,a:4-6,host:7').host.plan).toEqual([
      { device: 'host', first: 0, last: 3 },
      { device: 'a', first: 4, last: 6 },
      { device: 'host', first: 7, last: 7 },
    ]);
    expect(parsePageOptions('?plan=even').host.plan).toBe('even');
  });

  it('reads whether idle devices keep layers ready, in the earlier words too', () => {
    const isStandby = (search: string) => parsePageOptions(search).host.standby;
    expect(isStandby('?standby=on')).toBe(true);
    expect(isStandby('?standby=off')).toBe(false);
    expect(isStandby('?spares=warm')).toBe(true);
    expect(isStandby('?spares=cold')).toBe(false);
    expect(isStandby('?standby=on&spares=cold')).toBe(true);
    expect(isStandby('?standby=off&spares=warm')).toBe(false);
  });

  it('leaves parameters alone that are not its own', () => {
    expect(parsePageOptions('?utm_source=mail&gallery')).toEqual(parsePageOptions(''));
  });

  it.each([
    ['?backend=cuda', /backend=cuda.*auto, webgpu or wasm/],
    ['?threads=0', /threads=0.*1 at least/],
    ['?threads=1.5', /threads=1\.5.*whole number/],
    ['?memory=lots', /memory=lots.*512MB/],
    ['?weights=f64', /weights=f64.*f32/],
    ['?plan=host', /plan=host.*host:0-3/],
    ['?plan=host:3-1', /plan=host:3-1.*host:0-3/],
    ['?devices=65', /devices=65.*64 at most/],
    ['?model=', /model=.*a name/],
    ['?standby=warm', /standby=warm.*on or off/],
    ['?spares=none', /spares=none.*warm or cold/],
  ])('refuses %s and says what it wanted', (search, message) => {
    expect(() => parsePageOptions(search)).toThrow(message);
  });
});
