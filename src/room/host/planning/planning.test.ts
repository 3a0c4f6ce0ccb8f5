import { describe, expect, it } from 'vitest';
import {
  alone,
  change,
  openPlanningRoom,
  openRunning,
  planOf,
  settle,
  startUse,
  succeed,
  three,
  two,
} from '../../fixtures/planning-room.ts';

describe('planning', () => {
  it('says what is missing until a plan can be made', async () => {
    const room = openPlanningRoom();
    await change(room, {
      waitingFor: { kind: 'devices', sentence: 'Waiting for 1 more device.' },
    });
    expect(room.views.at(-1)).toEqual({
      plan: null,
      waitingFor: { kind: 'devices', sentence: 'Waiting for 1 more device.' },
    });
    await change(room, { feasible: false, why: 'The model needs 25 GB and the room has 14 GB.' });
    expect(room.views.at(-1)?.waitingFor).toEqual({
      kind: 'memory',
      sentence: 'The model needs 25 GB and the room has 14 GB.',
    });
    expect(room.deployments).toEqual([]);
  });

  it('has the devices load a plan before anything runs on it', async () => {
    const room = openPlanningRoom();
    const answer = await startUse(room);
    await change(room, two);
    expect(room.deployments.map(({ lap }) => lap)).toEqual([
      { planVersion: 1, stages: two.stages },
    ]);
    expect(room.views.at(-1)?.plan).toMatchObject({ planVersion: 1, status: 'loading' });
    expect(answer.planVersion()).toBeNull();
    await succeed(room);
    expect(room.views.at(-1)).toEqual({
      plan: {
        planVersion: 1,
        stages: two.stages,
        predictedMsPerToken: 12,
        why: 'Because.',
        status: 'running',
      },
      waitingFor: null,
    });
    expect(answer.planVersion()).toBe(1);
    expect(room.inUse).toEqual([[1]]);
  });

  it('leaves a plan alone that is proposed again', async () => {
    const room = await openRunning(two);
    await change(room, planOf('host:0-3,a:4-6,host:7', 11));
    expect(room.deployments).toHaveLength(1);
  });

  it('changes a plan that works only for one worth the move', async () => {
    const room = await openRunning(two, {
      isWorthwhile: (proposal, running) => proposal.lapMs < running.lapMs * 0.9,
    });
    await change(room, planOf('host:0-2,a:3-6,host:7', 11.5));
    expect(room.deployments).toHaveLength(1);
    await change(room, three);
    expect(room.deployments).toHaveLength(2);
  });

  it('plans once for several changes while a plan is deployed', async () => {
    const room = openPlanningRoom();
    await change(room, alone);
    room.proposal = two;
    room.planning.changed();
    room.planning.changed();
    room.planning.changed();
    await settle();
    expect(room.deployments).toHaveLength(1);
    await succeed(room);
    expect(room.deployments.map(({ lap }) => lap.planVersion)).toEqual([1, 2]);
    await succeed(room);
    expect(room.deployments).toHaveLength(2);
    await room.planning.settled();
  });

  it('lets an answer end on the plan it began on, and new ones begin on the new', async () => {
    const room = await openRunning(alone);
    const first = await startUse(room);
    await change(room, two);
    expect(room.views.at(-1)?.plan).toMatchObject({ planVersion: 1, status: 'running' });
    await succeed(room);
    const second = await startUse(room);
    expect([first.planVersion(), second.planVersion()]).toEqual([1, 2]);
    expect(first.lost()).toBe('');
    expect(room.inUse).toEqual([[1], [1, 2]]);
    await first.end();
    expect(room.inUse.at(-1)).toEqual([2]);
    await second.end();
    expect(room.inUse.at(-1)).toEqual([2]);
  });

  it('tells an answer which plan took the place of its own', async () => {
    const room = await openRunning(alone);
    const running = room.planning.current();
    expect(running?.successor()).toBeNull();
    await change(room, two);
    expect(running?.successor()).toBeNull();
    await succeed(room);
    expect(running?.successor()?.plan).toBe(two);
  });

  it('waits for the answers on the old plan where both do not fit, and starts none meanwhile', async () => {
    const room = await openRunning(alone);
    const first = await startUse(room);
    room.overflows = true;
    await change(room, two);
    const second = await startUse(room);
    expect(room.deployments).toHaveLength(1);
    expect(second.planVersion()).toBeNull();
    await first.end();
    expect(room.deployments).toHaveLength(2);
    expect(room.deployments[1].dropFirst).toBe(true);
    expect(room.views.at(-1)?.plan).toMatchObject({ planVersion: 2, status: 'loading' });
    expect(second.planVersion()).toBeNull();
    await succeed(room);
    expect(second.planVersion()).toBe(2);
  });

  it('lets a question go that is stopped before there is a plan', async () => {
    const room = openPlanningRoom();
    const stopping = new AbortController();
    const asked = room.planning.use(() => Promise.resolve(), stopping.signal);
    stopping.abort(new Error('stopped by hand'));
    await expect(asked).rejects.toThrow('stopped by hand');
    await expect(room.planning.use(() => Promise.resolve(), stopping.signal)).rejects.toThrow(
      'stopped by hand',
    );
  });
});
