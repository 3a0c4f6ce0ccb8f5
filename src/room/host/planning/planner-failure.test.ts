/** A planner that fails, as one does whose worker cannot be loaded. */
import { expect, it } from 'vitest';
import { never, openPlanningRoom, planOf } from '../../fixtures/planning-room.ts';

const sentence = 'The planner failed: it could not be loaded.';

it('is told to the screen and to whoever asks, and asked again at the next change; what runs goes on', async () => {
  let hasFailed = true;
  const room = openPlanningRoom({
    propose: () =>
      hasFailed ? Promise.reject(new Error(sentence)) : Promise.resolve(planOf('host:0-7', 10)),
    deploy: () => Promise.resolve(),
  });
  const { planning, views } = room;
  const planVersion = (): Promise<number> =>
    planning.use(({ lap }) => Promise.resolve(lap.planVersion), never);
  planning.changed();
  await expect(planVersion()).rejects.toThrow(sentence);
  const failed = { plan: null, waitingFor: { kind: 'failure', sentence } };
  expect(views).toEqual([failed]);
  await planning.settled();

  hasFailed = false;
  planning.changed();
  expect(await planVersion()).toBe(1);
  const running = views.at(-1);
  expect(running).toMatchObject({ plan: { status: 'running' }, waitingFor: null });

  hasFailed = true;
  planning.changed();
  await planning.settled();
  expect(await planVersion()).toBe(1);
  expect(views.at(-1)).toBe(running);
});
