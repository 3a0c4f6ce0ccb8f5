import { expect, it } from 'vitest';
import { memoryPair, standInForPage } from '../../transport/fixtures/memory-connection.ts';
import { openLink } from '../../transport/index.ts';
import { createPeers } from './peers.ts';

const key = new Uint8Array(32).fill(5);
const fingerprint = 'd'.repeat(64);

it('waits for the last devices that were introduced, and not for any number of them', async () => {
  standInForPage();
  const peers = createPeers({
    deviceId: 'a',
    dial: () => Promise.reject(new Error('nobody is dialled here')),
    key,
  });
  const meet = (peerId: string) =>
    peers.meet({ deviceId: peerId, peerId, fingerprint, dial: false });
  const earlier = Array.from({ length: 500 }, (_, index) => meet(`early-${index}`));
  const last = meet('last');
  expect(await Promise.all(earlier.slice(0, 437))).not.toContain(true);

  const { dialler, acceptor } = memoryPair({ dialler: fingerprint, acceptor: 'e'.repeat(64) });
  const dialling = openLink(dialler, { peerId: 'a', key });
  peers.dialled(acceptor, 'last');
  expect(await last).toBe(true);
  expect(peers.link('last')?.fingerprint).toBe(fingerprint);
  peers.closeAll('the end');
  (await dialling).close('the end');
});
