import { describe, expect, it } from 'vitest';
import { createEngineFeed, type EngineJob } from './engine-feed.ts';

/** A job whose last layer and end come when the test says so. */
function job(name: string, log: string[]) {
  let lastLayer = (): void => undefined;
  let end = (): void => undefined;
  const given: EngineJob = {
    run(onLastLayer) {
      log.push(`${name} handed over`);
      lastLayer = onLastLayer;
      return new Promise((resolve) => (end = resolve));
    },
  };
  return {
    given,
    lastLayer: () => lastLayer(),
    async end() {
      end();
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
}

function open({ mayShare = true } = {}) {
  const log: string[] = [];
  const jobs: EngineJob[] = [];
  const feed = createEngineFeed({
    next: () => jobs.shift() ?? null,
    mayShare: () => mayShare,
    onBusy: (busy) => log.push(busy ? 'busy' : 'idle'),
  });
  const add = (name: string) => {
    const made = job(name, log);
    jobs.push(made.given);
    feed.wake();
    return made;
  };
  return { log, add, feed };
}

describe('the feed of an engine', () => {
  it('hands over what comes next when only the last layer is left, not earlier', async () => {
    const { log, add } = open();
    const first = add('first');
    const second = add('second');
    expect(log).toEqual(['busy', 'first handed over']);
    first.lastLayer();
    expect(log).toEqual(['busy', 'first handed over', 'second handed over']);
    await first.end();
    await second.end();
    expect(log.at(-1)).toBe('idle');
    expect(log.filter((word) => word === 'idle')).toHaveLength(1);
  });

  it('never has more than one waiting behind the one that runs', async () => {
    const { log, add } = open();
    const first = add('first');
    const second = add('second');
    add('third');
    first.lastLayer();
    expect(log).not.toContain('third handed over');
    await first.end();
    expect(log).not.toContain('third handed over');
    second.lastLayer();
    expect(log).toContain('third handed over');
  });

  it('hands over at once what shares no run, and still no more than one behind the one that runs', async () => {
    const { log, add } = open({ mayShare: false });
    const first = add('first');
    const second = add('second');
    add('third');
    expect(log).toEqual(['busy', 'first handed over', 'second handed over']);
    first.lastLayer();
    expect(log).not.toContain('third handed over');
    await first.end();
    expect(log.at(-1)).toBe('third handed over');
    second.lastLayer();
    expect(log.filter((word) => word === 'idle')).toEqual([]);
  });

  it('goes on after one that ended without a last layer', async () => {
    const { log, add } = open();
    const failing = add('failing');
    add('next');
    await failing.end();
    expect(log).toEqual(['busy', 'failing handed over', 'next handed over']);
  });

  it('takes work that comes while the last layer runs at once', async () => {
    const { log, add } = open();
    const first = add('first');
    first.lastLayer();
    const late = add('late');
    expect(log).toEqual(['busy', 'first handed over', 'late handed over']);
    await first.end();
    await late.end();
    expect(log).toEqual(['busy', 'first handed over', 'late handed over', 'idle']);
  });

  it('waits until everything that a shared run led to is there', async () => {
    const { log, add, feed } = open();
    const shared = add('shared');
    feed.gather();
    const ending = shared.end();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    add('one');
    expect(log).not.toContain('one handed over');
    await ending;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(log).toContain('one handed over');
  });
});
