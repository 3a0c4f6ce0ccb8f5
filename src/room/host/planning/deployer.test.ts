import { afterEach, describe, expect, it, vi } from 'vitest';
import { stagesOf } from '../../fixtures/engine-room.ts';
import { planOver } from '../../fixtures/made-up-plans.ts';
import { measuredMember } from '../../fixtures/members.ts';
import { createLink, type RecordedLink } from '../../fixtures/recorded-link.ts';
import type { Lap } from '../../lap.ts';
import type { Member } from '../membership/members.ts';
import { createDeployer, longestSilenceMs, type Deployer } from './deployer.ts';

interface Round {
  deployer: Deployer;
  members: Map<string, Member>;
  links: Record<'a' | 'b', RecordedLink>;
  excluded: string[];
  hostPrepares: { resolve: () => void; dropFirst: boolean }[];
}

const plan = planOver(stagesOf('host:0-1,a:2-3,b:4-6,host:7'), { lapMs: 12 });
const lap: Lap = { planVersion: 3, stages: plan.stages };

function open(): Round {
  const links = { a: createLink(), b: createLink() };
  const members = new Map<string, Member>([
    ['host', measuredMember('host')],
    ['a', measuredMember('a', { link: links.a })],
    ['b', measuredMember('b', { link: links.b })],
  ]);
  const excluded: string[] = [];
  const hostPrepares: Round['hostPrepares'] = [];
  const deployer = createDeployer({
    members,
    prepareHost: (_, dropFirst) =>
      new Promise((resolve) => hostPrepares.push({ resolve, dropFirst })),
    sourcesOf: (_, deviceId) =>
      deviceId === 'b' ? [{ layer: 4, devices: ['a'], sha256: [] }] : [],
    exclude: (member, reason) => excluded.push(`${member.id}: ${reason}`),
  });
  return { deployer, members, links, excluded, hostPrepares };
}

function member({ members }: Round, id: string): Member {
  const found = members.get(id);
  if (!found) throw new Error(`there is no ${id}`);
  return found;
}

async function isPending(promise: Promise<void>): Promise<boolean> {
  const settled = await Promise.race([
    promise.then(
      () => 'done',
      () => 'failed',
    ),
    new Promise((resolve) => setImmediate(resolve, 'pending')),
  ]);
  return settled === 'pending';
}

describe('a deployment', () => {
  it('tells every device its layers, and where they lie in the room already', async () => {
    const round = open();
    const running = round.deployer.deploy(lap, plan, true);
    const deploy = {
      kind: 'deploy',
      planVersion: 3,
      stages: plan.stages,
      lapMs: 12,
      why: 'Because.',
      dropFirst: true,
    };
    expect(round.links.a.sent).toEqual([deploy]);
    expect(round.links.b.sent).toEqual([
      { kind: 'layer-sources', layer: 4, devices: ['a'], sha256: [] },
      deploy,
    ]);
    expect(round.hostPrepares.map(({ dropFirst }) => dropFirst)).toEqual([true]);
    expect(await isPending(running)).toBe(true);
  });

  it('ends when the last device is ready, and not before', async () => {
    const round = open();
    const running = round.deployer.deploy(lap, plan, false);
    round.deployer.ready(member(round, 'a'), 3);
    round.hostPrepares[0].resolve();
    expect(await isPending(running)).toBe(true);
    expect(round.deployer.hasEverDeployed).toBe(false);
    // Of an earlier lap: its message was on its way when this one began.
    round.deployer.ready(member(round, 'b'), 2);
    expect(await isPending(running)).toBe(true);
    round.deployer.ready(member(round, 'b'), 3);
    await running;
    expect(round.deployer.hasEverDeployed).toBe(true);
  });

  it('fails with the reason of a device that cannot load, which gets no layers any more', async () => {
    const round = open();
    const running = round.deployer.deploy(lap, plan, false);
    round.deployer.unable(member(round, 'b'), 2, 'too late');
    expect(round.excluded).toEqual([]);
    round.deployer.unable(member(round, 'b'), 3, 'layer-3.bin is damaged.');
    await expect(running).rejects.toThrow('layer-3.bin is damaged.');
    expect(round.excluded).toEqual(['b: layer-3.bin is damaged.']);
    expect(round.deployer.hasEverDeployed).toBe(false);
  });

  it('fails when a device of it leaves, or is not there to begin with', async () => {
    const round = open();
    const running = round.deployer.deploy(lap, plan, false);
    const left = member(round, 'a');
    round.members.delete('a');
    round.deployer.lost(left, 'left');
    await expect(running).rejects.toThrow('Device a left.');
    await expect(round.deployer.deploy({ ...lap, planVersion: 4 }, plan, false)).rejects.toThrow(
      'Device a is no longer here.',
    );
  });

  describe('with a device of which nothing is heard', () => {
    afterEach(() => void vi.useRealTimers());

    it('fails, and that device gets no layers any more', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
      const round = open();
      const failed = expect(round.deployer.deploy(lap, plan, false)).rejects.toThrow(
        /It said nothing of its layers for 12\d s\./,
      );
      round.deployer.ready(member(round, 'a'), 3);
      vi.advanceTimersByTime(0.9 * longestSilenceMs);
      // What it loads counts, however slowly.
      member(round, 'b').toldStatusAt = performance.now();
      vi.advanceTimersByTime(0.9 * longestSilenceMs);
      expect(round.excluded).toEqual([]);
      vi.advanceTimersByTime(0.2 * longestSilenceMs);
      await failed;
      expect(round.excluded).toEqual([expect.stringMatching(/^b: It said nothing/)]);
    });
  });
});
