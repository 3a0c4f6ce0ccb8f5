/** Models from a hub on WebGPU: a software adapter, so few tokens. Alone they run in `engine.webgpu.spec.ts`. */
import { exact } from '../../fixtures/exact-room.ts';
import { expectTinyReference, tinyModels } from '../../fixtures/tiny-models.ts';
import { expect, test } from '../../harness/hub-test.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { openTabRoom } from '../../harness/devices/tab-room.ts';

for (const name of tinyModels) {
  test(`${name} from a hub on three of them`, async ({ browser, hub, appOrigin }) => {
    test.setTimeout(240_000);
    const room = await openTabRoom(browser, {
      origin: appOrigin,
      prepare: measureOnce,
      devices: 3,
      device: { backend: 'webgpu' },
      host: {
        model: { kind: 'hub', id: `tiny/${name}`, accessToken: null, hubUrl: hub.origin },
        ...exact,
      },
    });
    const { devices: members } = await room.view();
    expect(new Set(members.map(({ compute }) => compute?.backend))).toEqual(new Set(['webgpu']));
    await expectTinyReference(room, name, 6);
    await room.close();
  });
}
