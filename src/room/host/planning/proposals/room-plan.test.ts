import { describe, expect, it } from 'vitest';
import { tinyConfig, tinyManifest } from '../../../../model/fixtures/tiny-manifest.ts';
import { choosePlan, parseProblem } from '../../../../planner/index.ts';
import { stagesOf } from '../../../fixtures/engine-room.ts';
import { measuredMember, type MemberFigures } from '../../../fixtures/members.ts';
import { replayBudgetBytes } from '../../../replay/replay-buffer.ts';
import type { PlanChoice } from '../../../room.ts';
import type { MeasuredMember } from '../../membership/members.ts';
import { sequencesThatFit } from './memory-fit.ts';
import { tokensPerMs } from './plan-price.ts';
import { planRoom, type RoomPlan } from './room-plan.ts';
import { roomProblem } from './room-problem.ts';

/** Layers 0 to 7: embedding, six blocks, head. */
const manifest = tinyManifest({ ...tinyConfig, num_hidden_layers: 6 });
const contextLength = 16;
/** Keys and values, float32, of one block: one key-value head of four numbers. */
const kvBytes = 2 * 4 * 4 * contextLength;
const blockBytes = 1000 + kvBytes;

function planFor(
  members: MeasuredMember[],
  { choice = 'auto', inFlight = 1 }: { choice?: PlanChoice; inFlight?: number } = {},
): Promise<RoomPlan> {
  const input = {
    manifest,
    contextLength,
    wire: 'f32',
    choice,
    members,
    inFlight,
    position: 0,
  } as const;
  return planRoom(input, (problem, options) => Promise.resolve(choosePlan(problem, options)));
}

function split(plan: RoomPlan): string {
  if (!plan.feasible) return plan.why;
  return plan.stages.map(({ device, first, last }) => `${device}:${first}-${last}`).join();
}

function lapMsOf(plan: RoomPlan): number {
  return plan.feasible ? plan.lapMs : NaN;
}

/** A link that costs nothing worth counting. */
const near = { latencyMs: 0, mbps: 1e6 };

/** The smallest budget that leaves so much for weights and caches, beside the hidden states that are kept. */
function budgetFor(bytes: number): number {
  let budgetBytes = bytes;
  while (budgetBytes - replayBudgetBytes(budgetBytes) < bytes) budgetBytes++;
  return budgetBytes;
}

describe('planRoom', () => {
  it('lets a lone host run everything', async () => {
    const plan = await planFor([measuredMember('host')]);
    expect(split(plan)).toBe('host:0-7');
    // Six blocks and the head, one ms each.
    expect(lapMsOf(plan)).toBeCloseTo(7, 6);
    expect(plan.why).toMatch(/^[A-Z].*\.$/);
  });

  it('gives blocks to a faster device, keeping embedding and head on the host', async () => {
    const fast = measuredMember('a', { compute: { blockMs: 0.1 }, links: { host: near } });
    const plan = await planFor([measuredMember('host'), fast]);
    expect(split(plan)).toBe('host:0-0,a:1-6,host:7-7');
    expect(lapMsOf(plan)).toBeCloseTo(1.6, 2);
  });

  it('does without a device that is far away', async () => {
    const fast = measuredMember('a', {
      compute: { blockMs: 0.1 },
      links: { host: { latencyMs: 50 } },
    });
    expect(split(await planFor([measuredMember('host'), fast]))).toBe('host:0-7');
  });

  it('counts what entering a device costs beside the wire', async () => {
    const links = { host: near };
    const eager = measuredMember('a', { compute: { blockMs: 0.5 }, callMs: 0.5, links });
    const slowToStart = measuredMember('a', { compute: { blockMs: 0.5 }, callMs: 4, links });
    expect(split(await planFor([measuredMember('host'), eager]))).toBe('host:0-0,a:1-6,host:7-7');
    expect(split(await planFor([measuredMember('host'), slowToStart]))).toBe('host:0-7');
  });

  it('never crosses where two devices cannot reach each other', async () => {
    // Each can hold three blocks, so both are needed; they only meet through the host.
    const compute = { blockMs: 0.1 };
    const budgetBytes = budgetFor(3 * blockBytes);
    const host = measuredMember('host', { budgetBytes: budgetFor(2000 + blockBytes) });
    const a = measuredMember('a', { compute, budgetBytes, links: { host: near } });
    const linked = measuredMember('b', { compute, budgetBytes, links: { host: near, a: near } });
    const apart = measuredMember('b', { compute, budgetBytes, links: { host: near, a: null } });
    expect(split(await planFor([host, a, linked]))).toMatch(/(a:\d-\d,b|b:\d-\d,a)/);
    expect(split(await planFor([host, a, apart]))).not.toMatch(/(a:\d-\d,b|b:\d-\d,a)/);
  });

  it('spreads the work where many answers are in flight', async () => {
    const links = { host: near };
    const members = [
      measuredMember('host'),
      measuredMember('a', { compute: { blockMs: 0.9 }, links }),
      measuredMember('b', { compute: { blockMs: 1.1 }, links: { ...links, a: near } }),
    ];
    const lone = await planFor(members, { inFlight: 1 });
    const shared = await planFor(members, { inFlight: 4 });
    expect(split(lone)).toBe('host:0-0,a:1-6,host:7-7');
    expect(split(shared)).toMatch(/a:.*b:|b:.*a:/);
    if (!lone.feasible || !shared.feasible) throw new Error('both plans should be feasible');
    expect(tokensPerMs(shared, 4)).toBeGreaterThan(tokensPerMs(lone, 4) * 1.5);
    expect(shared.why).toMatch(/^4 answers are in flight, so the work is spread/);
  });

  it('deals equally when the host asks for that', async () => {
    const links = { host: near };
    const members = [
      measuredMember('host'),
      measuredMember('a', { links, compute: { blockMs: 9 } }),
      measuredMember('b', { links: { ...links, a: near } }),
    ];
    const plan = await planFor(members, { choice: 'even' });
    if (!plan.feasible) throw new Error(plan.why);
    const blocks = new Map<string, number>();
    for (const { device, first, last } of plan.stages)
      for (let layer = first; layer <= last; layer++)
        if (layer !== 0 && layer !== 7) blocks.set(device, (blocks.get(device) ?? 0) + 1);
    expect([...blocks.values()].every((count) => count >= 1 && count <= 3)).toBe(true);
    expect(blocks.size).toBe(3);
  });

  describe('with stages chosen by hand', () => {
    const links = { host: { latencyMs: 2, mbps: 1e6 } };
    const members = [measuredMember('host'), measuredMember('a', { links })];

    it('runs exactly these, and prices them', async () => {
      const plan = await planFor(members, { choice: stagesOf('host:0-3,a:4-6,host:7') });
      expect(split(plan)).toBe('host:0-3,a:4-6,host:7-7');
      // Seven layers of one ms, and 2 ms there and back.
      expect(lapMsOf(plan)).toBeCloseTo(11, 2);
    });

    it('waits for a device that is not here', async () => {
      expect(await planFor(members, { choice: stagesOf('host:0-3,c:4-6,host:7') })).toEqual({
        feasible: false,
        why: 'The plan gives blocks to device c, which is not here.',
      });
    });

    it('refuses stages that leave layers out', async () => {
      const choice = stagesOf('host:0-3,a:5-6,host:7');
      await expect(planFor(members, { choice })).rejects.toThrow(/should start at layer 4/);
    });

    it('says so when two devices in a row cannot reach each other', async () => {
      const apart = [...members, measuredMember('b', { links: { ...links, a: null } })];
      const plan = await planFor(apart, { choice: stagesOf('host:0-1,a:2-3,b:4-6,host:7') });
      expect(plan).toEqual({
        feasible: false,
        why: 'The plan passes from device a to device b, and these two cannot reach each other.',
      });
    });
  });
});

describe('roomProblem', () => {
  it('is a valid problem of the planner', () => {
    const members = [measuredMember('host'), measuredMember('a', { links: { host: {} } })];
    const problem = roomProblem({
      manifest,
      contextLength,
      wire: 'f16',
      choice: 'auto',
      members,
      inFlight: 1,
      position: 0,
    });
    expect(parseProblem(JSON.parse(JSON.stringify(problem)))).toEqual(problem);
    // Eight numbers of two bytes each.
    expect(problem.layers[1].outputBytes).toBe(16);
  });

  it('counts memory in blocks, so that devices may compute with different weights', async () => {
    const fits = async (figures: MemberFigures, blocks: number): Promise<boolean> => {
      const other = measuredMember('a', {
        compute: { blockMs: 0.1 },
        links: { host: near },
        ...figures,
      });
      const host = measuredMember('host', { compute: { blockMs: 5 } });
      const stages = split(await planFor([host, other]));
      return stages.includes(`a:${7 - blocks}-6`) || stages.includes(`a:1-${blocks}`);
    };
    expect(await fits({ budgetBytes: budgetFor(4 * blockBytes) }, 4)).toBe(true);
    expect(await fits({ budgetBytes: budgetFor(4 * blockBytes - 1) }, 3)).toBe(true);
    // A quarter of the bytes a block: more blocks in the same memory.
    const compute = { blockMs: 0.1, blockBytes: 250 };
    expect(await fits({ budgetBytes: budgetFor(4 * (250 + kvBytes)), compute }, 4)).toBe(true);
    expect(await fits({ budgetBytes: budgetFor(4 * (250 + kvBytes) - 1), compute }, 3)).toBe(true);
  });

  it('says what is missing when the model does not fit', async () => {
    const members = [
      measuredMember('host', { budgetBytes: budgetFor(2000 + 2 * blockBytes) }),
      measuredMember('a', { budgetBytes: budgetFor(3 * blockBytes), links: { host: near } }),
    ];
    const plan = await planFor(members);
    expect(plan.feasible).toBe(false);
    expect(plan.why).toMatch(/^[A-Z].*\.$/);
  });

  it('lets a host that cannot hold embedding and head hold nothing', async () => {
    const members = [
      measuredMember('host', { budgetBytes: budgetFor(1999) }),
      measuredMember('a', { links: { host: near } }),
    ];
    expect((await planFor(members)).feasible).toBe(false);
  });
});

describe('sequencesThatFit', () => {
  it('counts caches beside the weights', () => {
    const budgetBytes = budgetFor(2 * 1000 + 5 * 2 * kvBytes);
    const member = measuredMember('a', { budgetBytes });
    expect(sequencesThatFit(member, [3, 4], manifest, contextLength)).toBe(5);
    expect(
      sequencesThatFit(
        measuredMember('a', { budgetBytes: budgetBytes - 1 }),
        [3, 4],
        manifest,
        contextLength,
      ),
    ).toBe(4);
  });

  it('leaves room for embedding and head on the host', () => {
    const budgetBytes = budgetFor(2000 + 2 * 1000 + 3 * 2 * kvBytes);
    const host = measuredMember('host', { budgetBytes });
    expect(sequencesThatFit(host, [0, 1, 2, 7], manifest, contextLength)).toBe(3);
  });

  it('is no limit where a device has no blocks', () => {
    const host = measuredMember('host', { budgetBytes: 2000 });
    expect(sequencesThatFit(host, [0, 7], manifest, contextLength)).toBe(Infinity);
  });
});
