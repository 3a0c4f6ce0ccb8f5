/** Two tabs that compute on WebGPU, against figures computed elsewhere from the same weights. */
import { exact } from '../../fixtures/exact-room.ts';
import { expectReference } from '../../fixtures/expect-reference.ts';
import { continuations, longPrompts, type ReferenceCase } from '../../fixtures/reference-cases.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { openTabRoom, type TabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test } from '../../harness/test.ts';

// A software adapter needs about half a second a token: a few tell what a wrong kernel would do.
const newTokens = 5;

function firstOf({ promptIds, greedyIds, ...rest }: ReferenceCase): ReferenceCase {
  return { ...rest, promptIds, greedyIds: greedyIds.slice(0, newTokens) };
}

test.describe('two devices on WebGPU', () => {
  test.describe.configure({ mode: 'serial' });
  let room: TabRoom;

  test.beforeAll(async ({ browser, serverOrigin }) => {
    test.setTimeout(300_000);
    room = await openTabRoom(browser, {
      origin: serverOrigin,
      prepare: measureOnce,
      devices: 2,
      host: exact,
      device: { backend: 'webgpu' },
    });
  });
  test.afterAll(() => room.close());

  test('both compute on WebGPU, and both have blocks', async () => {
    const { devices, plan } = await room.view();
    expect(devices.map(({ compute }) => compute?.backend)).toEqual(['webgpu', 'webgpu']);
    expect(new Set(plan?.stages.map(({ device }) => device))).toEqual(new Set(['host', 'a']));
  });

  test('they continue a short prompt as the reference does', async () => {
    await expectReference(room, [firstOf(continuations[0])]);
  });

  // ONNX Runtime's attention goes wrong from 32 new positions in one run on: the chunk must stay below.
  test('they continue a prompt of 48 tokens as the reference does', async () => {
    const [prompt] = longPrompts.filter(({ promptIds }) => promptIds.length === 48);
    await expectReference(room, [firstOf(prompt)]);
  });
});
