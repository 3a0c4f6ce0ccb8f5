import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readTinyModelFile } from '../../../engine/fixtures/node-runtime.ts';
import type { TinyModel } from '../../../engine/fixtures/tiny-model.ts';
import { openEngineHost, when, type EngineHost } from '../../fixtures/engine-host.ts';
import { contextLength, type EngineRoom } from '../../fixtures/engine-room.ts';
import type { Speculation } from './speculation.ts';

let model: TinyModel;
let room: EngineRoom;

beforeAll(async () => {
  model = await readTinyModelFile('tiny-llama');
});
afterEach(() => room.dispose());

function openHost(split: string): EngineHost {
  const host = openEngineHost(model, split);
  ({ room } = host);
  return host;
}

const overThree = 'host:0-1,a:2-3,b:4-5,host:6';

describe('an answer', () => {
  it("has the reference's tokens, each shown once", async () => {
    const host = openHost(overThree);
    const made = await host.generate({ topLogits: 3 });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.shown).toEqual(made.ids);
    expect(made.because).toBe('length');
    expect(made.laps).toHaveLength(made.ids.length);
    expect(made.topLogits.map(([[id]]) => id)).toEqual(made.ids);
    expect(host.paused).toEqual([]);
  });

  it('gives the logits of every lap back once its tokens are chosen', async () => {
    const host = openHost('host:0-6');
    const given: number[] = [];
    const made = await host.generate({
      giveBack(logits) {
        given.push(host.shown.length);
        // What came back may be overwritten at once.
        logits.fill(0);
      },
    });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(given).toEqual(made.ids.map((_, index) => index + 1));
  });

  it('counts in its prediction what the host takes between laps, and tells how long that took', async () => {
    const alone = await openHost('host:0-6').generate();
    await room.dispose();
    const took: number[] = [];
    const made = await openHost('host:0-6').generate({
      betweenLaps: { usualMs: () => 5, observe: (_, ms) => took.push(ms) },
    });
    expect(made.predictedMsPerToken).toBeCloseTo(alone.predictedMsPerToken + 5, 10);
    expect(took).toHaveLength(made.ids.length - 1);
    expect(Math.min(...took)).toBeGreaterThan(0);
  });

  it.each([1, 5, 23])(
    'goes on with the same tokens when a device vanishes after %i',
    async (count) => {
      const host = openHost(overThree);
      const loseB = (): void => {
        room.vanish('b');
        host.propose('host:0-1,a:2-5,host:6');
        host.planning.lose('b', 'Phone left; its blocks move to the others.');
      };
      const made = await host.generate(when(count, loseB, host));
      expect(made.ids).toEqual(model.reference.greedyIds);
      expect(host.shown).toEqual(made.ids);
      expect(host.paused).toEqual(['Phone left; its blocks move to the others.']);
      expect(
        room.frames.filter(({ header }) => header.planVersion === 2).map(({ to }) => to),
      ).not.toContain('b');
    },
  );

  it('goes on when a device vanishes while its frame is under way, at every stage', async () => {
    for (const stage of [1, 2, 3]) {
      const host = openHost(overThree);
      let seen = 0;
      room.intercept = ({ header }) => {
        if (header.planVersion > 1 || header.stage !== stage || ++seen < 6) return false;
        room.vanish('b');
        host.propose('host:0-1,a:2-5,host:6');
        host.planning.lose('b', 'b left.');
        return true;
      };
      const made = await host.generate();
      expect(made.ids).toEqual(model.reference.greedyIds);
      expect(host.shown).toEqual(made.ids);
      expect(host.paused).toEqual(['b left.']);
      if (stage < 3) await room.dispose();
    }
  });

  it('goes on when one device after the other vanishes, until the host is alone', async () => {
    const host = openHost(overThree);
    const made = await host.generate({
      onTokens(ids) {
        host.shown.push(...ids);
        const lost = { 4: 'b', 9: 'a' }[host.shown.length];
        if (lost === undefined) return;
        room.vanish(lost);
        host.propose(lost === 'b' ? 'host:0-1,a:2-5,host:6' : 'host:0-6');
        host.planning.lose(lost, `${lost} left.`);
      },
    });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.shown).toEqual(made.ids);
    expect(host.paused).toEqual(['b left.', 'a left.']);
  });

  it('fails with the reason when a stage of a whole lap keeps failing', async () => {
    const host = openHost(overThree);
    await host.planning.settled();
    await host.generate({ maxNewTokens: 1 });
    room.intercept = ({ header, to }) => {
      const reason = `layer 4 cannot be computed on ${to}`;
      if (to === 'b') room.laps.onFailure({ planVersion: 1, sequence: header.sequence, reason });
      return to === 'b';
    };
    await expect(host.generate()).rejects.toThrow('layer 4 cannot be computed on b');
    expect(host.paused).toHaveLength(2);
  });

  it('keeps to the plan it began on where migrating would not pay', async () => {
    const host = openHost('host:0-6');
    const join = (): void => host.propose('host:0-2,a:3-5,host:6', 9.9);
    const made = await host.generate(when(20, join, host));
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(room.frames).toEqual([]);
    const next = await host.generate();
    expect(next.ids).toEqual(made.ids);
    expect(room.frames.length).toBeGreaterThan(0);
  });

  it('migrates to a plan that is much faster, and shows nothing twice', async () => {
    const host = openHost('host:0-6');
    // Beside a lap of ten hours, reading a few tokens again costs nothing.
    host.propose('host:0-6', 36e6);
    const join = (): void => host.propose('host:0-2,a:3-5,host:6', 1);
    const made = await host.generate({
      ...when(3, join, host),
      turns: { next: () => new Promise((resolve) => setImmediate(resolve)) },
    });
    expect(made.ids).toEqual(model.reference.greedyIds);
    expect(host.shown).toEqual(made.ids);
    expect(room.frames.length).toBeGreaterThan(0);
    expect(host.paused).toEqual([]);
  });

  it('stops when it is told to, between tokens and in the middle of a lap', async () => {
    const host = openHost(overThree);
    const stopping = new AbortController();
    const stop = (): void => stopping.abort();
    const made = await host.generate({ ...when(4, stop, host), signal: stopping.signal });
    expect(made).toMatchObject({ because: 'stopped', ids: model.reference.greedyIds.slice(0, 4) });

    const midLap = new AbortController();
    room.intercept = () => {
      midLap.abort();
      return true;
    };
    const stopped = await host.generate({ signal: midLap.signal });
    expect(stopped).toMatchObject({ because: 'stopped', ids: [] });
    room.intercept = () => false;
    expect((await host.generate()).ids).toEqual(model.reference.greedyIds);
  });

  it('stops while it waits for a plan', async () => {
    const host = openHost(overThree);
    const stopping = new AbortController();
    const lose = (): void => {
      room.vanish('b');
      host.propose('host:0-1,a:2-5,host:6');
      host.planning.lose('b', 'b left.');
    };
    const made = await host.generate({
      ...when(2, lose, host),
      onPaused: () => stopping.abort(),
      signal: stopping.signal,
    });
    expect(made).toMatchObject({ because: 'stopped', ids: model.reference.greedyIds.slice(0, 2) });
  });

  it('ends at a token that ends the text, which is its last', async () => {
    const host = openHost(overThree);
    const made = await host.generate({ stopIds: new Set([model.reference.greedyIds[6]]) });
    expect(made).toMatchObject({ because: 'end', ids: model.reference.greedyIds.slice(0, 7) });
  });

  it('ends where the context does', async () => {
    const host = openHost(overThree);
    const { inputIds } = model.reference;
    const made = await host.generate({ maxNewTokens: 1000 });
    expect(made.because).toBe('length');
    // The last token is made from the last position and needs none of its own.
    expect(made.ids).toHaveLength(contextLength - inputIds.length + 1);
    expect(host.paused).toEqual([]);
  });

  it('takes the same tokens from drafts as one by one, right drafts and wrong ones', async () => {
    const host = openHost(overThree);
    const { inputIds, greedyIds } = model.reference;
    const brought: number[] = [];
    const speculation: Speculation = {
      /** The next three tokens, of which as many are right as the text is long modulo four. */
      draft(ids, maxTokens) {
        const made = ids.length - inputIds.length;
        const next = greedyIds.slice(made, made + Math.min(3, maxTokens));
        return next.map((id, index) => (index < made % 4 ? id : id + 1));
      },
      observe: (lap) => brought.push(lap.brought.length),
    };
    const made = await host.generate({ speculation: () => speculation, topLogits: 1 });
    expect(made.ids).toEqual(greedyIds);
    expect(host.shown).toEqual(greedyIds);
    expect(made.topLogits.map(([[id]]) => id)).toEqual(greedyIds);
    expect(made.laps.length).toBeLessThan(greedyIds.length);
    expect(new Set(brought)).toContain(1);
    expect(new Set(brought)).toContain(4);
  });

  it('reads only what is not cached from the answer before', async () => {
    const host = openHost(overThree);
    const { inputIds, greedyIds } = model.reference;
    const first = await host.generate({ maxNewTokens: 8 });
    expect(first.cachedTokens).toBe(0);
    const promptIds = [...inputIds, ...greedyIds.slice(0, 8)];
    const second = await host.generate({ promptIds, maxNewTokens: 8 });
    expect(second.cachedTokens).toBe(promptIds.length - 1);
    expect(second.ids).toEqual(greedyIds.slice(8, 16));
    const other = await host.generate({
      promptIds: [...inputIds.slice(0, 20), 3],
      maxNewTokens: 8,
    });
    const alone = await host.generate({
      promptIds: [9, ...inputIds.slice(0, 20), 3],
      maxNewTokens: 1,
    });
    expect(other.cachedTokens).toBe(20);
    expect(alone.cachedTokens).toBe(0);
  });

  it('runs beside others without touching them', async () => {
    const host = openHost(overThree);
    const { inputIds } = model.reference;
    const prompts = [inputIds, inputIds.slice(4), inputIds.slice(7, 15)];
    const alone: number[][] = [];
    for (const promptIds of prompts)
      alone.push((await host.generate({ promptIds, maxNewTokens: 12 })).ids);
    const together = await Promise.all(
      prompts.map((promptIds) => host.generate({ promptIds, maxNewTokens: 12 })),
    );
    expect(together.map(({ ids }) => ids)).toEqual(alone);
  });
});
