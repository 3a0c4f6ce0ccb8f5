import { expect, it } from 'vitest';
import { nodeRuntime, readTinyModelFile } from '../../engine/fixtures/node-runtime.ts';
import { createLocalEngine } from '../../engine/local-engine.ts';
import { contextLength, madeUpProfile } from '../fixtures/engine-room.ts';
import type { PreparedEngine } from '../compute/prepare-engine.ts';
import { createKeptEngine } from './kept-engine.ts';

it('is the last visit’s, and the present visit hears of its loss', async () => {
  const { config } = await readTinyModelFile('tiny-llama');
  const kept = createKeptEngine();
  const losing: ((reason: string) => void)[] = [];
  const heard: string[] = [];
  const visit = (name: string): Promise<PreparedEngine> =>
    kept.take(
      'the same model',
      (reason) => heard.push(`${name}: ${reason}`),
      (onLost) => {
        losing.push(onLost);
        const engine = createLocalEngine(nodeRuntime, { config, contextLength });
        return Promise.resolve({ engine, compute: madeUpProfile, callMs: 0, budgetBytes: 1e9 });
      },
    );

  const first = await visit('first');
  expect(await visit('second')).toBe(first);
  losing[0]('the GPU was lost');
  expect(heard).toEqual(['second: the GPU was lost']);
  expect(await visit('third')).not.toBe(first);
  await kept.dispose();
});
