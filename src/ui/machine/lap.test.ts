import { describe, expect, it } from 'vitest';
import type { DeviceView, PlanView } from '../../room/view.ts';
import { lapOf } from './lap.ts';

const device = (id: string, blockMs: number, headMs: number): DeviceView => ({
  id,
  label: id,
  isThisDevice: id === 'host',
  status: { kind: 'ready' },
  layers: [],
  compute: { backend: 'wasm', adapter: 'wasm', weights: 'q8', blockMs, headMs },
  memory: { budgetBytes: 1e9, usedBytes: 0 },
  bytesLoaded: 0,
  emulation: null,
  stages: [],
  isHidden: false,
  link: null,
});

const plan = (predictedMsPerToken: number, stages: PlanView['stages']): PlanView => ({
  planVersion: 1,
  stages,
  predictedMsPerToken,
  why: '',
  status: 'running',
});

describe('lapOf', () => {
  const devices = [device('host', 2, 3), device('a', 1, 9)];

  it('cuts a lap into computing and wires, the way back included', () => {
    const lap = lapOf(
      plan(14, [
        { device: 'host', first: 0, last: 2 },
        { device: 'a', first: 3, last: 5 },
        { device: 'host', first: 6, last: 7 },
      ]),
      devices,
      8,
    );
    // host: embed + 2 blocks = 4; a: 3 blocks = 3; host: 1 block + head = 5; so 14 - 12 = 2 on the wires.
    expect(lap.parts).toEqual([
      { kind: 'compute', device: 'host', layers: { first: 0, last: 2 }, ms: 4 },
      { kind: 'wire', from: 'host', to: 'a', ms: 1 },
      { kind: 'compute', device: 'a', layers: { first: 3, last: 5 }, ms: 3 },
      { kind: 'wire', from: 'a', to: 'host', ms: 1 },
      { kind: 'compute', device: 'host', layers: { first: 6, last: 7 }, ms: 5 },
    ]);
    expect(lap.computeMs).toBe(12);
    expect(lap.wireMs).toBe(2);
  });

  it('counts the return to the host when the last stage is elsewhere', () => {
    const { parts } = lapOf(
      plan(30, [
        { device: 'host', first: 0, last: 3 },
        { device: 'a', first: 4, last: 7 },
      ]),
      devices,
      8,
    );
    expect(parts.map((part) => part.kind)).toEqual(['compute', 'wire', 'compute', 'wire']);
    expect(parts[3]).toMatchObject({ from: 'a', to: 'host' });
  });

  it('has no wires in a lone host', () => {
    const { parts, wireMs } = lapOf(plan(20, [{ device: 'host', first: 0, last: 7 }]), devices, 8);
    expect(parts).toEqual([
      { kind: 'compute', device: 'host', layers: { first: 0, last: 7 }, ms: 15 },
    ]);
    expect(wireMs).toBe(0);
  });

  it('takes a device that has not measured itself for nothing rather than for NaN', () => {
    const unmeasured = { ...device('b', 0, 0), compute: null };
    const { computeMs } = lapOf(plan(5, [{ device: 'b', first: 0, last: 7 }]), [unmeasured], 8);
    expect(computeMs).toBe(0);
  });
});
