import { describe, expect, it } from 'vitest';
import { createSendPolicy, type SendPolicy } from './send-policy.ts';

function sawMany(policy: SendPolicy, twins: [number, number][], times = 1): void {
  for (let time = 0; time < times; time++) for (const pair of twins) policy.sawTwins(pair);
}

/** One in ten messages waits for a retransmission, its twin does not. */
const lossy: [number, number][] = Array.from({ length: 40 }, (_, index) => [
  index % 10 === 0 ? 420 : 20,
  20,
]);
const clean: [number, number][] = Array.from({ length: 40 }, () => [0.6, 0.7]);

it('the round trip is that of the last ones: a network may become another', () => {
  const policy = createSendPolicy();
  expect(policy.roundTripMs).toBeNull();
  sawMany(policy, [[1, 1]], 40);
  expect(policy.roundTripMs).toBe(1);
  sawMany(policy, [[40, 40]], 5);
  expect(policy.roundTripMs).toBe(40);
  expect(policy.quality.p50Ms).toBe(1);
});

describe('small frames', () => {
  it('are sent once over a clean link', () => {
    const policy = createSendPolicy();
    sawMany(policy, clean);
    expect(policy.decide()).toEqual({ twice: false, striped: false, furtherLanes: 0 });
  });

  it('are sent twice where the second copy would often have come much sooner', () => {
    const policy = createSendPolicy();
    sawMany(policy, lossy);
    expect(policy.quality).toMatchObject({ p50Ms: 20, lateShare: 0.1, savedMs: 40 });
    expect(policy.decide()).toMatchObject({ twice: true, furtherLanes: 1 });
  });

  it('are sent once where both copies are held up together, as by a busy page', () => {
    const policy = createSendPolicy();
    sawMany(
      policy,
      lossy.map(([ms]) => [ms, ms + 0.1]),
    );
    expect(policy.quality.lateShare).toBe(0.1);
    expect(policy.decide().twice).toBe(false);
  });

  it('are not judged by a handful of round trips', () => {
    const policy = createSendPolicy();
    sawMany(policy, lossy.slice(0, 5));
    expect(policy.decide().twice).toBe(false);
  });

  it('go on twice while that still saves something, and stop when it does not', () => {
    const policy = createSendPolicy();
    const slightly: [number, number][] = clean.map(() => [4, 2.5]);
    sawMany(policy, slightly);
    expect(policy.decide().twice).toBe(false);
    sawMany(policy, lossy);
    policy.decide();
    sawMany(policy, slightly);
    expect(policy.decide().twice).toBe(true);
    sawMany(policy, clean);
    expect(policy.decide().twice).toBe(false);
  });
});

describe('large frames', () => {
  function policyAt(roundTripMs: number) {
    const clock = { ms: 0 };
    const policy = createSendPolicy(() => clock.ms);
    sawMany(policy, [[roundTripMs, roundTripMs]], 20);
    return { clock, policy };
  }

  it('are worth a trial where round trips are long, and only there', () => {
    const { policy: near } = policyAt(0.6);
    const { policy: far } = policyAt(40);
    for (const policy of [near, far])
      for (const bytes of [70_000, 60_000, 70_000, 1200, 1200, 1200]) policy.sawFrame(bytes);
    expect(near.trialBytes()).toBeNull();
    expect(near.decide().furtherLanes).toBe(0);
    expect(far.trialBytes()).toBe(70_000);
    expect(far.decide()).toMatchObject({ striped: false, furtherLanes: 4 });
  });

  it.each([
    ['was faster', [80, 90, 400], true],
    ['made no difference', [190, 200, 210], false],
  ])('are spread out if the trial %s', (_, stripedMs, striped) => {
    const { policy } = policyAt(40);
    for (let count = 0; count < 3; count++) policy.sawFrame(70_000);
    policy.sawTrial({ singleMs: [200, 190, 210], stripedMs });
    expect(policy.decide()).toMatchObject({ striped, furtherLanes: striped ? 4 : 0 });
  });

  it('are tried again after a trial that showed nothing, ever less often', () => {
    const { clock, policy } = policyAt(40);
    const again = (): boolean => {
      for (let count = 0; count < 3; count++) policy.sawFrame(70_000);
      return policy.trialBytes() !== null;
    };
    for (const pauseMs of [8000, 16_000, 32_000, 60_000, 60_000]) {
      policy.sawTrial({ singleMs: [200], stripedMs: [210] });
      clock.ms += pauseMs;
      expect(again()).toBe(false);
      clock.ms += 1;
      expect(again()).toBe(true);
    }
  });

  it('give the connections back when they come no more', () => {
    const { clock, policy } = policyAt(40);
    for (let count = 0; count < 3; count++) policy.sawFrame(70_000);
    policy.sawTrial({ singleMs: [200], stripedMs: [80] });
    clock.ms += 30_000;
    expect(policy.decide()).toMatchObject({ striped: false, furtherLanes: 0 });
  });
});
