import { describe, expect, it } from 'vitest';
import { parseProblem, solve, type Problem } from './index.ts';

const problem: Problem = {
  layers: [
    { name: 'embed', memoryBytes: 100, outputBytes: 1000 },
    { name: 'layer0', memoryBytes: 100, outputBytes: 1000 },
    { name: 'layer1', memoryBytes: 100, outputBytes: 1000 },
    { name: 'head', memoryBytes: 100, outputBytes: 16 },
  ],
  devices: [
    { id: 'host', memoryBytes: 400, layerMs: [1, 10, 10, 2] },
    { id: 'a', memoryBytes: 300, layerMs: [1, 2, 2, 1] },
  ],
  links: [
    { from: 'host', to: 'a', latencyMs: 1, mbps: 8 },
    { from: 'a', to: 'host', latencyMs: 1, mbps: 8 },
  ],
  source: 'host',
  pin: { first: 1, last: 1 },
};

function msOf(changed: Problem, options: Parameters<typeof solve>[1] = {}): number {
  const plan = solve(changed, options);
  if (!plan.feasible) throw new Error(plan.reason);
  return plan.ms;
}

describe('what a problem may say', () => {
  it('is answered by hand-checked figures', () => {
    // 1 + 2 + 2 + 2 on the devices, two transfers of 1 ms + 1000 bytes at 1000 bytes a ms.
    expect(msOf(problem)).toBeCloseTo(7 + 2 * 2, 9);
  });

  it('adds a KV cache to blocks, and to nothing else', () => {
    const withCache = { ...problem, kvBytesPerToken: 1, context: 100, sequences: 1 };
    // Two blocks of 200 bytes do not fit in 300 together; the host still has both pinned layers.
    expect(msOf(withCache)).toBeCloseTo(1 + 10 + 2 + 2 + 4, 9);
    const tooMuch = solve({ ...withCache, sequences: 3 });
    expect(tooMuch).toMatchObject({ feasible: false, proven: true });
  });

  it('counts tied memory once on a device that holds both layers', () => {
    const small: Problem = {
      ...problem,
      devices: [{ ...problem.devices[0], memoryBytes: 320 }],
      links: [],
    };
    expect(solve(small)).toMatchObject({ feasible: false });
    expect(msOf({ ...small, shared: [{ layers: [0, 3], memoryBytes: 80 }] })).toBeCloseTo(23, 9);
  });

  it('plans with the p90 of a link and the fixed cost of a hop', () => {
    const links = problem.links.map((link) => ({ ...link, p90LatencyMs: 3, hopMs: 0.5 }));
    expect(msOf({ ...problem, links })).toBeCloseTo(11 + 2 * 0.5, 9);
    expect(msOf({ ...problem, links }, { percentile: 'p90' })).toBeCloseTo(11 + 2 * 2.5, 9);
  });

  it('prices a request as its prompt and every further token', () => {
    const devices = problem.devices.map((device) => ({
      ...device,
      prefillLayerMs: device.layerMs.map((ms) => ms / 10),
    }));
    const request = { prompt: 20, generate: 5 };
    // Prefill 20 · 0.7 ms and two transfers of 1 + 20 ms; then four laps of 11 ms.
    expect(msOf({ ...problem, devices, request }, { objective: 'request' })).toBeCloseTo(
      14 + 42 + 4 * 11,
      9,
    );
  });

  it('takes layer times for a batch as measured, in between and beyond', () => {
    const devices = problem.devices.map((device) => ({
      ...device,
      layerMsByBatch: { '4': device.layerMs.map((ms) => 2 * ms) },
    }));
    const batched = (batch: number) => msOf({ ...problem, devices }, { batch, method: 'solo' });
    expect(batched(1)).toBeCloseTo(23, 9);
    expect(batched(4)).toBeCloseTo(46, 9);
    expect(batched(2)).toBeCloseTo(23 * (1 + 1 / 3), 9);
    expect(batched(8)).toBeCloseTo(92, 9);
  });
});

describe('what it may not', () => {
  const broken: [name: string, change: (problem: Problem) => unknown, message: string][] = [
    ['a missing field', (each) => ({ ...each, layers: undefined }), 'layers is missing'],
    [
      'a negative size',
      (each) => ({ ...each, layers: [{ ...each.layers[0], memoryBytes: -1 }] }),
      'layers[0].memoryBytes must not be negative, not -1',
    ],
    [
      'too few layer times',
      (each) => ({ ...each, devices: [{ ...each.devices[0], layerMs: [1] }] }),
      'devices[0].layerMs must have 4 numbers, one a layer, not 1',
    ],
    [
      'a link to nobody',
      (each) => ({ ...each, links: [{ ...each.links[0], to: 'x' }] }),
      'links[0].to must name a device, not "x"',
    ],
    [
      'a standing link',
      (each) => ({ ...each, links: [{ ...each.links[0], mbps: 0 }] }),
      'links[0].mbps must be above 0, not 0',
    ],
    [
      'an unknown source',
      (each) => ({ ...each, source: 'x' }),
      'source must name a device, not "x"',
    ],
    [
      'more pins than layers',
      (each) => ({ ...each, pin: { first: 3, last: 2 } }),
      'pin.first and pin.last must add up to at most 4, the number of layers, not 5',
    ],
    [
      'the same device twice',
      (each) => ({ ...each, devices: [each.devices[0], each.devices[0]] }),
      'devices[1].id must be unique, but "host" is there twice',
    ],
    [
      'more devices than any room, a few at a time',
      (each) => ({
        ...each,
        devices: ['b', 'c'].map((id) => ({ ...each.devices[1], id, count: 60_000 })),
      }),
      'devices must be at most 100000 in all, not 120000',
    ],
    ['no object', () => null, 'the problem must be an object, not null'],
  ];
  for (const [name, change, message] of broken)
    it(`${name}: ${message}`, () => expect(() => parseProblem(change(problem))).toThrow(message));
});
