import { describe, expect, it } from 'vitest';
import { stagesOf } from '../fixtures/engine-room.ts';
import type { Lap } from '../lap.ts';
import type { PlanView, WaitingFor } from '../view.ts';
import { createPlanning, type Planning, type PlanningOptions } from './planning.ts';
import type { FeasibleRoomPlan } from './room-plan.ts';

interface RollOut {
  lap: Lap;
  dropFirst: boolean;
  succeed: () => void;
  fail: (reason: string) => void;
}

/** A planning whose surroundings a test plays itself. */
interface Stage {
  planning: Planning;
  /** What the next proposal will be. */
  proposal: Awaited<ReturnType<PlanningOptions['propose']>>;
  overflows: boolean;
  /** Why laps cannot go on, by epoch. */
  broken: Map<number, string>;
  rollOuts: RollOut[];
  /** Epochs in use, at each change. */
  inUse: number[][];
  views: { plan: PlanView | null; waitingFor: WaitingFor | null }[];
}

const never = new AbortController().signal;

function open(options: Partial<PlanningOptions> = {}): Stage {
  const stage: Stage = {
    planning: createPlanning({
      propose: () => Promise.resolve(stage.proposal),
      isWorthwhile: () => true,
      repriced: (running) => running,
      brokenBecause: ({ epoch }) => stage.broken.get(epoch) ?? null,
      overflows: () => stage.overflows,
      rollOut: (lap, _, dropFirst) =>
        new Promise((resolve, reject) => {
          const fail = (reason: string): void => reject(new Error(reason));
          stage.rollOuts.push({ lap, dropFirst, succeed: resolve, fail });
        }),
      onLaps: (laps) => stage.inUse.push(laps.map(({ epoch }) => epoch)),
      onView: (plan, waitingFor) => stage.views.push({ plan, waitingFor }),
      ...options,
    }),
    proposal: { waitingFor: { kind: 'preparing', sentence: 'Not yet.' } },
    overflows: false,
    broken: new Map(),
    rollOuts: [],
    inUse: [],
    views: [],
  };
  return stage;
}

function plan(split: string, lapMs = 10): FeasibleRoomPlan {
  return {
    feasible: true,
    stages: stagesOf(split),
    lapMs,
    slowestMs: lapMs,
    positionMs: 0,
    position: 0,
    why: 'Because.',
  };
}

const alone = plan('host:0-7', 20);
const two = plan('host:0-3,a:4-6,host:7', 12);
const three = plan('host:0-2,a:3-4,b:5-6,host:7', 9);

async function change(stage: Stage, proposal: Stage['proposal']): Promise<void> {
  stage.proposal = proposal;
  stage.planning.changed();
  await settle();
}

async function succeed(stage: Stage): Promise<void> {
  stage.rollOuts.at(-1)?.succeed();
  await settle();
}

/** Lets everything that is not waiting for the test run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Starts a use that lasts until it is ended, and says which plan it got. */
function startUse(stage: Stage): {
  epoch: () => number | null;
  lost: () => string;
  end: () => Promise<void>;
} {
  let epoch: number | null = null;
  let reason = '';
  let release = (): void => undefined;
  void stage.planning
    .use((running) => {
      epoch = running.lap.epoch;
      running.lost.addEventListener('abort', () => (reason = String(running.lost.reason)));
      return new Promise<void>((resolve) => (release = resolve));
    }, never)
    .catch(() => undefined);
  return {
    epoch: () => epoch,
    lost: () => reason,
    end() {
      release();
      return settle();
    },
  };
}

describe('planning', () => {
  it('says what is missing until a plan can be made', async () => {
    const stage = open();
    await change(stage, {
      waitingFor: { kind: 'devices', sentence: 'Waiting for 1 more device.' },
    });
    expect(stage.views.at(-1)).toEqual({
      plan: null,
      waitingFor: { kind: 'devices', sentence: 'Waiting for 1 more device.' },
    });
    await change(stage, { feasible: false, why: 'The model needs 25 GB and the room has 14 GB.' });
    expect(stage.views.at(-1)?.waitingFor).toEqual({
      kind: 'memory',
      sentence: 'The model needs 25 GB and the room has 14 GB.',
    });
    expect(stage.rollOuts).toEqual([]);
  });

  it('has the devices load a plan before anything runs on it', async () => {
    const stage = open();
    const answer = startUse(stage);
    await change(stage, two);
    expect(stage.rollOuts.map(({ lap }) => lap)).toEqual([{ epoch: 1, stages: two.stages }]);
    expect(stage.views.at(-1)?.plan).toMatchObject({ epoch: 1, status: 'loading' });
    expect(answer.epoch()).toBeNull();
    await succeed(stage);
    expect(stage.views.at(-1)).toEqual({
      plan: {
        epoch: 1,
        stages: two.stages,
        predictedMsPerToken: 12,
        why: 'Because.',
        status: 'running',
      },
      waitingFor: null,
    });
    expect(answer.epoch()).toBe(1);
    expect(stage.inUse).toEqual([[1]]);
  });

  it('leaves a plan alone that is proposed again', async () => {
    const stage = open();
    await change(stage, two);
    await succeed(stage);
    await change(stage, plan('host:0-3,a:4-6,host:7', 11));
    expect(stage.rollOuts).toHaveLength(1);
  });

  it('changes a plan that works only for one worth the move', async () => {
    const stage = open({
      isWorthwhile: (proposal, running) => proposal.lapMs < running.lapMs * 0.9,
    });
    await change(stage, two);
    await succeed(stage);
    await change(stage, plan('host:0-2,a:3-6,host:7', 11.5));
    expect(stage.rollOuts).toHaveLength(1);
    await change(stage, three);
    expect(stage.rollOuts).toHaveLength(2);
  });

  it('plans once for several changes while a plan is rolled out', async () => {
    const stage = open();
    await change(stage, alone);
    stage.proposal = two;
    stage.planning.changed();
    stage.planning.changed();
    stage.planning.changed();
    await settle();
    expect(stage.rollOuts).toHaveLength(1);
    await succeed(stage);
    expect(stage.rollOuts.map(({ lap }) => lap.epoch)).toEqual([1, 2]);
    await succeed(stage);
    expect(stage.rollOuts).toHaveLength(2);
    await stage.planning.settled();
  });

  it('lets an answer end on the plan it began on, and new ones begin on the new', async () => {
    const stage = open();
    await change(stage, alone);
    await succeed(stage);
    const first = startUse(stage);
    await settle();
    await change(stage, two);
    expect(stage.views.at(-1)?.plan).toMatchObject({ epoch: 1, status: 'running' });
    await succeed(stage);
    const second = startUse(stage);
    await settle();
    expect([first.epoch(), second.epoch()]).toEqual([1, 2]);
    expect(first.lost()).toBe('');
    expect(stage.inUse).toEqual([[1], [1, 2]]);
    await first.end();
    expect(stage.inUse.at(-1)).toEqual([2]);
    await second.end();
    expect(stage.inUse.at(-1)).toEqual([2]);
  });

  it('tells an answer which plan took the place of its own', async () => {
    const stage = open();
    await change(stage, alone);
    await succeed(stage);
    const running = stage.planning.current();
    expect(running?.successor()).toBeNull();
    await change(stage, two);
    expect(running?.successor()).toBeNull();
    await succeed(stage);
    expect(running?.successor()?.plan).toBe(two);
  });

  it('waits for the answers on the old plan where both do not fit, and starts none meanwhile', async () => {
    const stage = open();
    await change(stage, alone);
    await succeed(stage);
    const first = startUse(stage);
    await settle();
    stage.overflows = true;
    await change(stage, two);
    const second = startUse(stage);
    await settle();
    expect(stage.rollOuts).toHaveLength(1);
    expect(second.epoch()).toBeNull();
    await first.end();
    expect(stage.rollOuts).toHaveLength(2);
    expect(stage.rollOuts[1].dropFirst).toBe(true);
    expect(stage.views.at(-1)?.plan).toMatchObject({ epoch: 2, status: 'loading' });
    expect(second.epoch()).toBeNull();
    await succeed(stage);
    expect(second.epoch()).toBe(2);
  });

  it('tells the answers on a plan that a device of it is gone, and plans anew', async () => {
    const stage = open();
    await change(stage, two);
    await succeed(stage);
    const answer = startUse(stage);
    await settle();
    stage.proposal = alone;
    stage.planning.lose('a', 'Phone left; its layers move to the others.');
    expect(answer.lost()).toBe('Error: Phone left; its layers move to the others.');
    expect(stage.planning.current()).toBeNull();
    expect(stage.views).toContainEqual({
      plan: null,
      waitingFor: { kind: 'preparing', sentence: 'Phone left; its layers move to the others.' },
    });
    await answer.end();
    const next = startUse(stage);
    await settle();
    await succeed(stage);
    expect(next.epoch()).toBe(2);
    expect(stage.inUse.at(-1)).toEqual([2]);
  });

  it('breaks a lap whose devices lost each other, even for a slower plan', async () => {
    const stage = open({ isWorthwhile: (proposal, running) => proposal.lapMs < running.lapMs });
    await change(stage, three);
    await succeed(stage);
    const answer = startUse(stage);
    await settle();
    stage.broken.set(1, 'Phone and laptop lost each other.');
    await change(stage, two);
    expect(answer.lost()).toBe('Error: Phone and laptop lost each other.');
    await succeed(stage);
    expect(stage.planning.current()?.lap).toEqual({ epoch: 2, stages: two.stages });
  });

  it('does not mind who leaves without having had a part', async () => {
    const stage = open();
    await change(stage, two);
    await succeed(stage);
    const answer = startUse(stage);
    await settle();
    stage.planning.lose('c', 'c left.');
    await settle();
    expect(answer.lost()).toBe('');
    expect(stage.planning.current()?.lap.epoch).toBe(1);
    expect(stage.rollOuts).toHaveLength(1);
  });

  it('plans anew when a device is lost in the middle of a roll-out, and never runs the broken plan', async () => {
    const stage = open();
    await change(stage, alone);
    await succeed(stage);
    await change(stage, three);
    stage.proposal = two;
    stage.planning.lose('b', 'b left.');
    stage.rollOuts[1].fail('b left.');
    await settle();
    expect(stage.planning.current()?.lap.epoch).toBe(1);
    expect(stage.rollOuts.map(({ lap }) => lap.epoch)).toEqual([1, 2, 3]);
    await succeed(stage);
    expect(stage.planning.current()?.lap).toEqual({ epoch: 3, stages: two.stages });
    expect(stage.inUse).toEqual([[1], [3]]);
  });

  it('never runs a plan whose device left at the last moment of its roll-out', async () => {
    const stage = open();
    await change(stage, two);
    stage.proposal = alone;
    stage.rollOuts[0].succeed();
    stage.planning.lose('a', 'a left.');
    await settle();
    expect(stage.planning.current()).toBeNull();
    await succeed(stage);
    expect(stage.planning.current()?.lap.stages).toEqual(alone.stages);
  });

  it('keeps the plan that works when the rows of a new one cannot be loaded', async () => {
    const stage = open();
    await change(stage, alone);
    await succeed(stage);
    await change(stage, two);
    stage.rollOuts[1].fail('layer-3.bin is damaged.');
    await settle();
    expect(stage.planning.current()?.lap.epoch).toBe(1);
    expect(stage.views.at(-1)?.waitingFor).toBeNull();
  });

  it('says why when the only plan cannot be loaded, also to those who ask, and recovers', async () => {
    const stage = open();
    await change(stage, alone);
    stage.rollOuts[0].fail('layer-3.bin is damaged.');
    await settle();
    expect(stage.views.at(-1)).toEqual({
      plan: null,
      waitingFor: { kind: 'failure', sentence: 'layer-3.bin is damaged.' },
    });
    const asked = stage.planning.use(() => Promise.resolve('answer'), never);
    await expect(asked).rejects.toThrow('layer-3.bin is damaged.');
    await change(stage, two);
    await succeed(stage);
    expect(await stage.planning.use(({ lap }) => Promise.resolve(lap.epoch), never)).toBe(2);
  });

  it('lets a question go that is stopped before there is a plan', async () => {
    const stage = open();
    const stopping = new AbortController();
    const asked = stage.planning.use(() => Promise.resolve(), stopping.signal);
    stopping.abort(new Error('stopped by hand'));
    await expect(asked).rejects.toThrow('stopped by hand');
    await expect(stage.planning.use(() => Promise.resolve(), stopping.signal)).rejects.toThrow(
      'stopped by hand',
    );
  });
});
