/** A chat model over the whole path: int8 weights of an ONNX file, chat template, tokenizer, end of answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ensureModel } from '../../../src/convert/fetching/fetch-model.ts';
import { withFileLock } from '../../../src/server/file-lock.ts';
import { oneThread } from '../../fixtures/exact-room.ts';
import { modelCacheDir, shardsDir } from '../../harness/project.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { openTabRoom, type TabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test } from '../../harness/test.ts';
import { greedy } from '../../../src/room/host/decoding/sampler.ts';

const ReferenceSchema = v.object({
  cases: v.array(
    v.object({
      prompt: v.string(),
      promptIds: v.array(v.number()),
      greedyIds: v.array(v.number()),
      greedyText: v.string(),
      nextTop5: v.array(v.tuple([v.number(), v.number()])),
    }),
  ),
});

const { cases } = v.parse(
  ReferenceSchema,
  JSON.parse(readFileSync(new URL('../../fixtures/minimind2-chat.json', import.meta.url), 'utf8')),
);

test('minimind2-chat answers as the reference does, alone and on three devices', async ({
  browser,
  serverOrigin,
}) => {
  await withFileLock(join(modelCacheDir, 'fetch.lock'), () =>
    ensureModel('minimind2-chat', { shardsDir, cacheDir: modelCacheDir }),
  );
  const room = await openTabRoom(browser, {
    origin: serverOrigin,
    prepare: measureOnce,
    devices: 1,
    device: oneThread,
    host: {
      model: { kind: 'shards', manifestUrl: 'shards/minimind2-chat/manifest.json' },
      weights: 'f32',
      wire: 'f32',
      plan: 'even',
    },
  });
  await expectAnswers(room);
  await room.join();
  await room.join();
  await expect(async () => {
    const { plan } = await room.view();
    expect(plan?.stages.map(({ device }) => device)).toEqual(['host', 'a', 'b', 'host']);
    expect(plan?.status).toBe('running');
  }).toPass();
  await expectAnswers(room);
  await room.close();
});

/** float32 sums of the same numbers in another order. */
const logitTolerance = 2e-3;

async function expectAnswers(room: TabRoom): Promise<void> {
  for (const { prompt, promptIds, greedyIds, greedyText, nextTop5 } of cases) {
    const answer = await room.ask({
      prompt: { kind: 'text', text: questionIn(prompt) },
      sampling: greedy,
      maxNewTokens: greedyIds.length + 10,
      topLogits: 8,
    });
    expect(answer.promptIds).toEqual(promptIds);
    expect(answer.ids).toEqual(greedyIds);
    expect(answer.text).toBe(greedyText);
    const logits = new Map(answer.topLogits[0]);
    for (const [id, expected] of nextTop5)
      expect(Math.abs((logits.get(id) ?? Infinity) - expected)).toBeLessThan(logitTolerance);
  }
}

/** What the person asked, out of the prompt that the template makes of it. */
function questionIn(prompt: string): string {
  return /<\|im_start\|>user\n(.*)<\|im_end\|>/s.exec(prompt)?.[1] ?? '';
}
