/** What a tab's memory grows by while it loads: a promise to phones, which end tabs that grow too large. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureLoading } from '../../bench/model/loading.ts';
import { rendererMemory } from '../../bench/process-memory.ts';
import { wideBlocks, writeWideModel } from '../../bench/wide-model.ts';
import { startLocalHub } from '../../harness/servers/local-hub.ts';
import { projectDir } from '../../harness/project.ts';
import { expect, test } from '../../harness/test.ts';
import { startServer } from '../../../src/server/server.ts';

test('loading grows a tab by no more than a quarter over its layers, and two layers', async ({
  browser,
}) => {
  test.skip(process.platform !== 'linux', 'resident memory is read from /proc');
  const folder = await mkdtemp(join(tmpdir(), 'edgeshard-wide-'));
  await writeWideModel(folder);
  const hub = await startLocalHub({ models: new Map([['bench/wide', folder]]) });
  const server = await startServer({ projectDir, connectSources: [hub.origin] });
  try {
    const memory = await rendererMemory(browser);
    const model = { kind: 'hub', id: 'bench/wide', accessToken: null, hubUrl: hub.origin } as const;
    const { beforeMB, peakMB, layersMB } = await measureLoading(
      browser,
      memory,
      server.httpOrigin,
      {
        model,
        backend: 'wasm',
        threads: 1,
        weights: 'f32',
        plan: 'even',
        memoryBudgetBytes: 2e9,
      },
    );
    const largestLayerMB = layersMB / wideBlocks;
    expect(layersMB).toBeGreaterThan(300);
    expect(peakMB - beforeMB).toBeLessThan(1.25 * layersMB + 2 * largestLayerMB);
  } finally {
    await server.close();
    await hub.close();
    await rm(folder, { recursive: true });
  }
});
