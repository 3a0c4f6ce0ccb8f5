/** Models from a hub on WebGPU: a software adapter, so few tokens. */
import { expectTinyReference, tinyModels } from './fixtures/tiny-models.ts';
import { expect, test } from './harness/hub-test.ts';
import { openTabRoom } from './harness/tab-room.ts';

for (const [index, name] of tinyModels.entries()) {
  const devices = index === 0 ? 3 : 1;
  test(`${name} from a hub on ${devices} of them`, async ({ browser, hub, appOrigin }) => {
    const room = await openTabRoom(browser, {
      origin: appOrigin,
      devices,
      device: { backend: 'webgpu' },
      host: {
        model: { kind: 'hub', id: `tiny/${name}`, accessToken: null, hubUrl: hub.origin },
        backend: 'webgpu',
        weights: 'f32',
        wire: 'f32',
        plan: 'even',
        maxInFlight: 1,
      },
    });
    const { devices: members } = await room.view();
    expect(new Set(members.map(({ compute }) => compute?.backend))).toEqual(new Set(['webgpu']));
    await expectTinyReference(room, name, 6);
    await room.close();
  });
}
