import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { Port, PortServer } from '../base/worker-server.ts';
import { connectPlanner, type PlannerClient } from './client.ts';
import { authorsCases } from './fixtures/read.ts';
import type { FeasiblePlan } from './plan.ts';
import { servePlanner } from './worker.ts';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

function connect(): PlannerClient {
  return over(serve);
}

function over(open: () => PortServer): PlannerClient {
  const client = connectPlanner(open);
  closing.push(client.dispose);
  return client;
}

function serve(): PortServer {
  const { port1, port2 } = new MessageChannel();
  servePlanner(asPort(port2));
  return { port: asPort(port1), close: () => port1.close(), onFailed: () => undefined };
}

/** A worker that cannot be loaded. */
function fail(): PortServer {
  const worker = new Worker(new URL('./no-such-worker.js', import.meta.url));
  return {
    port: asPort(worker),
    close: () => void worker.terminate(),
    onFailed: (callback) => worker.on('error', ({ message }) => callback(message)),
  };
}

/** A Node port passes the data itself, a browser's port an event with the data. */
function asPort(port: MessagePort | Worker): Port {
  return {
    postMessage: (message) => port.postMessage(message),
    addEventListener: (_, listener) => port.on('message', (data: unknown) => listener({ data })),
  };
}

describe('the planner behind a port', () => {
  it('sends plans that can be used at once, each better, and then what to run', async () => {
    const plans: FeasiblePlan[] = [];
    const { problem } = authorsCases()[0];
    const choice = await connect().choose(problem, { onPlan: (plan) => plans.push(plan) });
    if (!choice.feasible) throw new Error(choice.reason);
    expect(plans.length).toBeGreaterThan(1);
    expect(choice.plan.ms).toBeCloseTo(72.672, 3);
    expect(choice.reason).toMatch(/would need .* ms a token/);
  });

  it('explains a plan', async () => {
    const { problem } = authorsCases()[0];
    const client = connect();
    const choice = await client.choose(problem);
    if (!choice.feasible) throw new Error(choice.reason);
    const { stages, alternatives } = await client.explain(problem, choice.plan);
    expect(stages.map(({ device }) => device)).toEqual(
      choice.plan.stages.map(({ device }) => device),
    );
    expect(alternatives.map(({ name }) => name)).toContain('solo');
  });

  it('hands back what went wrong', async () => {
    const { problem } = authorsCases()[0];
    await expect(connect().choose(problem, { objective: 'request' })).rejects.toThrow(
      'request is missing',
    );
  });

  it('says so when its worker cannot be loaded, and starts another one when it is asked again', async () => {
    const { problem } = authorsCases()[0];
    let started = 0;
    const client = over(() => (++started === 1 ? fail() : serve()));
    await expect(client.choose(problem)).rejects.toThrow(
      /^The planner failed: .*no-such-worker.*\. Check that this device reaches the server/,
    );
    expect((await client.choose(problem)).feasible).toBe(true);
    expect(started).toBe(2);
  });

  it('rejects what is unanswered when it is disposed of', async () => {
    const client = connect();
    const asked = client.choose(authorsCases()[0].problem);
    client.dispose();
    await expect(asked).rejects.toThrow('disposed');
  });
});
