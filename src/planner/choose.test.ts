import { describe, expect, it } from 'vitest';
import { choosePlan, explain, solve } from './index.ts';
import { authorsCases } from './fixtures/read.ts';

const [slowCloud, cutOffCloud] = authorsCases().map(({ problem }) => problem);

describe('what the room runs', () => {
  it('is the plan of several devices where that is faster, with the figures that decide', () => {
    const choice = choosePlan(slowCloud, { sourceName: 'this laptop' });
    expect(choice.feasible && choice.plan.method).toBe('exact');
    expect(choice.reason).toBe(
      'this laptop alone would need 174 ms a token, three devices need 73 ms',
    );
  });

  it('is one device alone where no plan beats it', () => {
    const choice = choosePlan(cutOffCloud, { method: 'even', sourceName: 'this laptop' });
    expect(choice.feasible && choice.plan.method).toBe('solo');
    expect(choice.reason).toMatch(
      /^five devices would need 715 ms a token, this laptop alone needs 174 ms$/,
    );
  });

  it('is nothing, with a reason, where nothing fits', () => {
    const devices = slowCloud.devices.map((device) => ({ ...device, memoryBytes: 5e9 }));
    expect(choosePlan({ ...slowCloud, devices })).toMatchObject({
      feasible: false,
      reason: 'the model needs 25.1 GB and the room has 25.0 GB',
    });
  });
});

describe('why a plan is as it is', () => {
  it('accounts for the whole lap, names what binds, and what was close', () => {
    const plan = solve(slowCloud);
    if (!plan.feasible) throw new Error(plan.reason);
    const { stages, limits, alternatives, oneMore } = explain(slowCloud, plan, {
      questionLimitMs: 5000,
    });
    const lapMs = stages.reduce((sum, stage) => sum + stage.computeMs + stage.transferMs, 0);
    expect(lapMs).toBeCloseTo(plan.ms, 9);
    // The cloud is fast and full: its memory is what keeps layers on slow devices.
    expect(limits[0]).toMatchObject({ kind: 'memory', where: 'cloud' });
    expect(alternatives.find(({ name }) => name === 'solo')?.ms).toBeCloseTo(173.973, 3);
    const without = alternatives.find(({ name }) => name === 'without cloud');
    expect(without?.ms ?? 0).toBeGreaterThan(plan.ms);
    const [most] = oneMore.toSorted((a, b) => b.gainMs - a.gainMs);
    expect(most.device).toBe('cloud');
  });
});
