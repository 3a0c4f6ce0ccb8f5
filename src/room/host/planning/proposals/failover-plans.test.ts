import { describe, expect, it } from 'vitest';
import { tinyConfig, tinyManifest } from '../../../../model/fixtures/tiny-manifest.ts';
import { choosePlan } from '../../../../planner/index.ts';
import { stagesOf } from '../../../fixtures/engine-room.ts';
import { measuredMember, type MemberFigures } from '../../../fixtures/members.ts';
import type { Stage } from '../../../lap.ts';
import type { MeasuredMember } from '../../membership/members.ts';
import { createFailoverPlans, type FailoverPlans, type StandbyLayers } from './failover-plans.ts';

const near = { latencyMs: 0.1, mbps: 1000 };
/** Embedding, six blocks, head. */
const manifest = tinyManifest({ ...tinyConfig, num_hidden_layers: 6 });
const contextLength = 16;
/** Weights, and keys and values of one sequence. */
const blockBytes = 1000 + 2 * 4 * 4 * contextLength;

/** A device with memory for so many blocks. */
function member(
  id: string,
  blocks: number,
  others: string[],
  figures: MemberFigures = {},
): MeasuredMember {
  const links = Object.fromEntries(others.map((other) => [other, near]));
  const ends = id === 'host' ? 2000 : 0;
  const budgetBytes = Math.ceil(((ends + blocks * blockBytes) * 32) / 31);
  return measuredMember(id, { budgetBytes, links, ...figures });
}

function prepared(
  members: MeasuredMember[],
  lap: string,
): Promise<{ failoverPlans: FailoverPlans; standby: Record<string, StandbyLayers> }> {
  return new Promise((resolve) => {
    const failoverPlans = createFailoverPlans({
      input: () => ({
        manifest,
        contextLength,
        wire: 'f32',
        choice: 'auto',
        members,
        inFlight: 1,
        position: 0,
      }),
      choose: (problem, options) => Promise.resolve(choosePlan(problem, options)),
      onStandby: (standby) => resolve({ failoverPlans, standby: Object.fromEntries(standby) }),
    });
    failoverPlans.prepare({ planVersion: 1, stages: stagesOf(lap) });
  });
}

function split(stages: Stage[] | undefined): string {
  return (stages ?? []).map(({ device, first, last }) => `${device}:${first}-${last}`).join();
}

describe('failoverPlans', () => {
  const ids = ['host', 'a', 'b', 'c'];

  it('have a plan for each loss that leaves all other layers where they are', async () => {
    const members = ids.map((id, index) => member(id, 2, ids.slice(0, index)));
    const { failoverPlans, standby } = await prepared(members, 'host:0-2,a:3-4,b:5-6,host:7');
    expect(split(failoverPlans.without('a')?.stages)).toBe('host:0-2,c:3-4,b:5-6,host:7-7');
    expect(split(failoverPlans.without('b')?.stages)).toBe('host:0-2,a:3-4,c:5-6,host:7-7');
    // Memory for one of them.
    expect(standby.c).toEqual({ layers: [3, 4], isLoaded: true });
    expect(standby.a).toEqual({ layers: [], isLoaded: false });
  });

  it('have a standby device hold all layers that it has memory for', async () => {
    const members = ids.map((id, index) => member(id, id === 'c' ? 4 : 2, ids.slice(0, index)));
    const { standby } = await prepared(members, 'host:0-2,a:3-4,b:5-6,host:7');
    expect(standby.c).toEqual({ layers: [3, 4, 5, 6], isLoaded: true });
  });

  it('have the others fetch what they would be given where no device is on standby', async () => {
    const three = ids.slice(0, 3);
    const members = three.map((id, index) => member(id, 4, three.slice(0, index)));
    const { failoverPlans, standby } = await prepared(members, 'host:0-2,a:3-4,b:5-6,host:7');
    const without = failoverPlans.without('b');
    expect(without?.stages.some(({ device }) => device === 'b')).toBe(false);
    expect(Object.values(standby).every(({ isLoaded }) => !isLoaded)).toBe(true);
    expect([...new Set(Object.values(standby).flatMap(({ layers }) => layers))].sort()).toEqual([
      3, 4, 5, 6,
    ]);
  });

  it('know no plan where too little memory would be left', async () => {
    const three = ids.slice(0, 3);
    const members = three.map((id, index) => member(id, 2, three.slice(0, index)));
    const { failoverPlans, standby } = await prepared(members, 'host:0-2,a:3-4,b:5-6,host:7');
    expect(failoverPlans.without('a')).toBeNull();
    expect(Object.values(standby).flatMap(({ layers }) => layers)).toEqual([]);
  });
});
