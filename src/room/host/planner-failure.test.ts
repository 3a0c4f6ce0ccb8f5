/** A planner that fails, as one whose worker cannot be loaded. */
import { expect, it } from 'vitest';
import { stagesOf } from '../fixtures/engine-room.ts';
import type { WaitingFor } from '../view.ts';
import { createPlanning } from './planning.ts';
import type { FeasibleRoomPlan } from './room-plan.ts';

const plan: FeasibleRoomPlan = {
  feasible: true,
  stages: stagesOf('host:0-7'),
  lapMs: 10,
  slowestMs: 10,
  positionMs: 0,
  position: 0,
  why: '',
};
const sentence = 'The planner failed: it could not be loaded.';

it('is told to the screen and to whoever asks, and asked again at the next change; what runs goes on', async () => {
  let hasFailed = true;
  let waitingFor: WaitingFor | null = null;
  const planning = createPlanning({
    propose: () => (hasFailed ? Promise.reject(new Error(sentence)) : Promise.resolve(plan)),
    isWorthwhile: () => true,
    repriced: (running) => running,
    brokenBecause: () => null,
    overflows: () => false,
    rollOut: () => Promise.resolve(),
    onLaps: () => undefined,
    onView: (_, now) => void (waitingFor = now),
  });
  const never = new AbortController().signal;
  const epoch = (): Promise<number> => planning.use(({ lap }) => Promise.resolve(lap.epoch), never);
  planning.changed();
  await expect(epoch()).rejects.toThrow(sentence);
  expect(waitingFor).toEqual({ kind: 'failure', sentence });
  await planning.settled();

  hasFailed = false;
  planning.changed();
  expect(await epoch()).toBe(1);
  expect(waitingFor).toBeNull();

  hasFailed = true;
  planning.changed();
  await planning.settled();
  expect(await epoch()).toBe(1);
  expect(waitingFor).toBeNull();
});
