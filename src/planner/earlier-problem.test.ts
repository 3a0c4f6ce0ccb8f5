import { describe, expect, it } from 'vitest';
import { parseProblem, solve } from './index.ts';

/** The form that `npm run plan` took before layers had their present name. */
const earlier = {
  rows: [
    { name: 'first', kind: 'embed', memoryBytes: 100, outputBytes: 1000 },
    { name: 'second', kind: 'layer', memoryBytes: 100, outputBytes: 1000 },
    { name: 'third', kind: 'head', memoryBytes: 100, outputBytes: 16 },
  ],
  devices: [
    {
      id: 'host',
      memoryBytes: 400,
      rowMs: [1, 10, 2],
      rowMsByBatch: { '4': [2, 20, 4] },
      prefillRowMs: [0, 5, 1],
    },
  ],
  links: [],
  source: 'host',
  pin: { first: 1, last: 1 },
  shared: [{ rows: [0, 2], memoryBytes: 80 }],
  kvBytesPerToken: 1,
  context: 100,
};

describe('a problem under the earlier names', () => {
  it('is the same problem', () => {
    const { layers, devices, shared } = parseProblem(earlier);
    expect(layers.map(({ kind }) => kind)).toEqual(['embed', 'block', 'head']);
    expect(devices[0]).toEqual({
      id: 'host',
      memoryBytes: 400,
      layerMs: [1, 10, 2],
      layerMsByBatch: { '4': [2, 20, 4] },
      prefillLayerMs: [0, 5, 1],
    });
    expect(shared).toEqual([{ layers: [0, 2], memoryBytes: 80 }]);
  });

  it('has its KV cache in the block alone', () => {
    const fits = { ...earlier, devices: [{ ...earlier.devices[0], memoryBytes: 320 }] };
    expect(solve(parseProblem(fits))).toMatchObject({ feasible: true, ms: 13 });
    const short = { ...earlier, devices: [{ ...earlier.devices[0], memoryBytes: 319 }] };
    expect(solve(parseProblem(short))).toMatchObject({ feasible: false });
  });

  it.each([
    [{ rows: [] }, 'rows must not be empty'],
    [
      { rows: [{ ...earlier.rows[0], memoryBytes: -1 }] },
      'rows[0].memoryBytes must not be negative, not -1',
    ],
    [
      { devices: [{ ...earlier.devices[0], rowMs: [1] }] },
      'devices[0].rowMs must have 3 numbers, one a layer, not 1',
    ],
    [
      { shared: [{ rows: [0, 9], memoryBytes: 80 }] },
      'shared[0].rows must name layers below 3, not 9',
    ],
  ])('is refused under its own names: %j', (change, message) => {
    expect(() => parseProblem({ ...earlier, ...change })).toThrow(message);
  });
});
