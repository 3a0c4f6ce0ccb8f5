import { expect, it } from 'vitest';
import type { DeviceStatus, DeviceView, PlanView, LayerRange } from '../../room/view.ts';
import { layerRuns } from './layers-held.ts';

const device = (id: string, layers: LayerRange[], status: DeviceStatus): DeviceView => ({
  id,
  label: id,
  isThisDevice: false,
  status,
  layers,
  compute: null,
  memory: { budgetBytes: 1, usedBytes: 0 },
  bytesLoaded: 0,
  emulation: null,
  stages: [],
  isHidden: false,
  link: null,
});

const plan: PlanView = {
  planVersion: 2,
  stages: [
    { device: 'host', first: 0, last: 3 },
    { device: 'a', first: 4, last: 6 },
    { device: 'host', first: 7, last: 7 },
  ],
  predictedMsPerToken: 1,
  why: '',
  status: 'loading',
};

it('draws the plan, each layer as far as it is loaded', () => {
  const devices = [
    device('host', [{ first: 0, last: 7 }], { kind: 'ready' }),
    device('a', [{ first: 4, last: 4 }], { kind: 'loading', bytesLoaded: 1, bytesTotal: 4 }),
  ];
  expect(layerRuns(8, plan, devices)).toEqual([
    { device: 'host', first: 0, last: 3, loaded: 1 },
    { device: 'a', first: 4, last: 4, loaded: 1 },
    { device: 'a', first: 5, last: 6, loaded: 0.25 },
    { device: 'host', first: 7, last: 7, loaded: 1 },
  ]);
});

it('draws what devices hold where there is no plan yet', () => {
  const devices = [device('host', [{ first: 0, last: 1 }], { kind: 'ready' })];
  expect(layerRuns(4, null, devices)).toEqual([
    { device: 'host', first: 0, last: 1, loaded: 1 },
    { device: null, first: 2, last: 3, loaded: 0 },
  ]);
});

it('leaves layers of a device that is gone unloaded, unless devices are known only in part', () => {
  const known = [device('host', [{ first: 0, last: 7 }], { kind: 'ready' })];
  expect(layerRuns(8, plan, known)[1]).toMatchObject({ device: 'a', loaded: 0 });
  expect(layerRuns(8, plan, known, false)[1]).toMatchObject({ device: 'a', loaded: 1 });
});
