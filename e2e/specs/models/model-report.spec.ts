/** What the page says of a model that does not open. */
import { expect, test } from '../../harness/test.ts';

test('says why, what to take in its place, and copies a report without anything private', async ({
  newDevice,
  serverOrigin,
}) => {
  const page = await newDevice({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(serverOrigin);
  await page.evaluate(
    (url) =>
      void edgeshard.openRoom({
        model: { kind: 'url', url },
        backend: 'wasm',
        threads: 1,
      }),
    `${serverOrigin}/nothing/tiny.gguf?X-Amz-Signature=f00ba4`,
  );
  await expect(page.getByRole('heading', { name: 'This model does not open' })).toBeVisible();
  await expect(page.getByRole('alert')).not.toBeEmpty();
  await expect(page.getByText(/^Take /)).toBeVisible();
  await page.getByRole('button', { name: 'Copy report' }).click();
  await expect(page.getByText('Copied.')).toBeVisible();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toMatch(/^browser: Chrome.*\nchosen as: url\n/);
  const report = await page.evaluate(() => navigator.clipboard.readText());
  expect(report).toMatch(/^refused +\S/m);
  expect(report).not.toMatch(/localhost|f00ba4/);
  expect(report).not.toContain(new URL(serverOrigin).port);
});
