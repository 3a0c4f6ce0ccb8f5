import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readTinyModelFile } from '../../../engine/fixtures/node-runtime.ts';
import { memoryPair, standInForPage } from '../../../transport/fixtures/memory-connection.ts';
import { openLink, type Link } from '../../../transport/index.ts';
import { createPartBench, type PartBench } from '../../fixtures/device-part.ts';

const key = new Uint8Array(32).fill(4);
let bench: PartBench;

beforeAll(async () => {
  standInForPage();
  bench = createPartBench(await readTinyModelFile('tiny-llama'));
});
afterAll(() => bench.dispose());

/** The host's end of a link to the device, and its end. */
async function openLinks(): Promise<[host: Link, device: Link]> {
  const { dialler, acceptor } = memoryPair({
    dialler: 'd'.repeat(64),
    acceptor: 'e'.repeat(64),
  });
  return Promise.all([
    openLink(dialler, { peerId: 'host', key }),
    openLink(acceptor, { peerId: 'a', key }),
  ]);
}

it('measures itself once for a host that asks many times at once, and answers each time', async () => {
  const [host, device] = await openLinks();
  const heard: unknown[] = [];
  const failed: string[] = [];
  host.onControl((message) => heard.push(message));
  const part = bench.begin(device, key, (reason) => failed.push(reason));
  for (let asked = 0; asked < 300; asked++) host.sendControl({ kind: 'measure-again' });
  await vi.waitFor(() => expect(heard).toHaveLength(300), 20_000);
  expect(bench.measurements).toBe(1);
  expect(heard[299]).toMatchObject({ kind: 'measured', compute: { backend: 'wasm' } });

  host.sendControl({ kind: 'measure-again' });
  await vi.waitFor(() => expect(heard).toHaveLength(301), 20_000);
  expect(bench.measurements).toBe(2);
  expect(failed).toEqual([]);
  await part.leave();
  host.close('the end');
});
