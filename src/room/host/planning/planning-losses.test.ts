import { describe, expect, it } from 'vitest';
import {
  alone,
  change,
  never,
  openPlanningRoom,
  openRunning,
  settle,
  startUse,
  succeed,
  three,
  two,
} from '../../fixtures/planning-room.ts';
import type { FeasibleRoomPlan } from './proposals/plan-price.ts';

describe('planning when something is lost', () => {
  it('tells the answers on a plan that a device of it is gone, and plans anew', async () => {
    const room = await openRunning(two);
    const answer = await startUse(room);
    room.proposal = alone;
    room.planning.lose('a', 'Phone left; its blocks move to the others.');
    expect(answer.lost()).toBe('Error: Phone left; its blocks move to the others.');
    expect(room.planning.current()).toBeNull();
    expect(room.views).toContainEqual({
      plan: null,
      waitingFor: { kind: 'preparing', sentence: 'Phone left; its blocks move to the others.' },
    });
    await answer.end();
    const next = await startUse(room);
    await succeed(room);
    expect(next.planVersion()).toBe(2);
    expect(room.inUse.at(-1)).toEqual([2]);
  });

  it('breaks a lap whose devices lost each other, even for a slower plan', async () => {
    const room = await openRunning(three, {
      isWorthwhile: (proposal, running) => proposal.lapMs < running.lapMs,
    });
    const answer = await startUse(room);
    room.broken.set(1, 'Phone and laptop lost each other.');
    await change(room, two);
    expect(answer.lost()).toBe('Error: Phone and laptop lost each other.');
    await succeed(room);
    expect(room.planning.current()?.lap).toEqual({ planVersion: 2, stages: two.stages });
  });

  it('plans again after something went wrong that nobody foresaw', async () => {
    let isBroken = true;
    const room = await openRunning(two, {
      isWorthwhile() {
        if (isBroken) throw new Error('out of order');
        return true;
      },
    });
    await change(room, three);
    expect(room.planning.current()?.lap.stages).toEqual(two.stages);
    isBroken = false;
    await change(room, three);
    await succeed(room);
    expect(room.planning.current()?.lap.stages).toEqual(three.stages);
  });

  it('does not mind who leaves without having had a part', async () => {
    const room = await openRunning(two);
    const answer = await startUse(room);
    room.planning.lose('c', 'c left.');
    await settle();
    expect(answer.lost()).toBe('');
    expect(room.planning.current()?.lap.planVersion).toBe(1);
    expect(room.deployments).toHaveLength(1);
  });

  it('plans anew when a device is lost in the middle of a deployment, and never runs the broken plan', async () => {
    const room = await openRunning(alone);
    await change(room, three);
    room.proposal = two;
    room.planning.lose('b', 'b left.');
    room.deployments[1].fail('b left.');
    await settle();
    expect(room.planning.current()?.lap.planVersion).toBe(1);
    expect(room.deployments.map(({ lap }) => lap.planVersion)).toEqual([1, 2, 3]);
    await succeed(room);
    expect(room.planning.current()?.lap).toEqual({ planVersion: 3, stages: two.stages });
    expect(room.inUse).toEqual([[1], [3]]);
  });

  it('never runs a plan whose device left at the last moment of its deployment', async () => {
    const room = openPlanningRoom();
    await change(room, two);
    room.proposal = alone;
    room.deployments[0].succeed();
    room.planning.lose('a', 'a left.');
    await settle();
    expect(room.planning.current()).toBeNull();
    await succeed(room);
    expect(room.planning.current()?.lap.stages).toEqual(alone.stages);
  });

  it('never deploys a plan that was thought of before one of its devices was lost', async () => {
    const proposals: ((plan: FeasibleRoomPlan) => void)[] = [];
    const room = openPlanningRoom({
      propose: () => new Promise((resolve) => proposals.push(resolve)),
    });
    room.planning.changed();
    room.planning.lose('a', 'a does not answer.');
    proposals[0](two);
    await settle();
    expect(room.deployments).toEqual([]);
    proposals[1](alone);
    await settle();
    expect(room.deployments.map(({ lap }) => lap.stages)).toEqual([alone.stages]);
    room.planning.lose('b', 'b does not answer.');
    await succeed(room);
    proposals[2](two);
    await settle();
    // Who is here again has a part again.
    expect(room.deployments).toHaveLength(2);
  });

  it('keeps the plan that works when the layers of a new one cannot be loaded', async () => {
    const room = await openRunning(alone);
    await change(room, two);
    room.deployments[1].fail('layer-3.bin is damaged.');
    await settle();
    expect(room.planning.current()?.lap.planVersion).toBe(1);
    expect(room.views.at(-1)?.waitingFor).toBeNull();
  });

  it('says why when the only plan cannot be loaded, also to those who ask, and recovers', async () => {
    const room = openPlanningRoom();
    await change(room, alone);
    room.deployments[0].fail('layer-3.bin is damaged.');
    await settle();
    expect(room.views.at(-1)).toEqual({
      plan: null,
      waitingFor: { kind: 'failure', sentence: 'layer-3.bin is damaged.' },
    });
    const asked = room.planning.use(() => Promise.resolve('answer'), never);
    await expect(asked).rejects.toThrow('layer-3.bin is damaged.');
    await change(room, two);
    await succeed(room);
    expect(await room.planning.use(({ lap }) => Promise.resolve(lap.planVersion), never)).toBe(2);
  });
});
