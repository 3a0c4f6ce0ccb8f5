import { expect, test, vi } from 'vitest';
import { serveTestSite } from './testing/site.ts';

const loaded = vi.hoisted(() => ({ library: false }));

vi.mock('turn-server', async (importOriginal) => {
  loaded.library = true;
  return await importOriginal<object>();
});

test('the relay’s library is loaded where a relay is wanted, and nowhere else', async () => {
  await serveTestSite({ relay: false });
  expect(loaded.library).toBe(false);
  await serveTestSite();
  expect(loaded.library).toBe(true);
});
