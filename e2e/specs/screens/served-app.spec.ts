import { expect, test } from '../../harness/test.ts';

test('a page on this machine may use threads and WebGPU', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice();
  await page.goto(serverOrigin);
  expect(await page.evaluate(() => [isSecureContext, crossOriginIsolated])).toEqual([true, true]);
});

test('so may a page that came over HTTPS', async ({ newDevice, secureOrigin }) => {
  const page = await newDevice();
  await page.goto(secureOrigin);
  expect(await page.evaluate(() => [isSecureContext, crossOriginIsolated])).toEqual([true, true]);
});

test('the page may compile WebAssembly', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice();
  await page.goto(serverOrigin);
  const emptyModule = [0, 97, 115, 109, 1, 0, 0, 0];
  const exports = await page.evaluate(
    async (bytes) => WebAssembly.Module.exports(await WebAssembly.compile(new Uint8Array(bytes))),
    emptyModule,
  );
  expect(exports).toEqual([]);
});

test('a script that somebody slipped into the page does not run', async ({
  page,
  serverOrigin,
}) => {
  await page.goto(serverOrigin);
  const refused = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "taken over"';
    const breach = new Promise<string>((resolve) =>
      document.addEventListener('securitypolicyviolation', (event) =>
        resolve(event.effectiveDirective),
      ),
    );
    document.head.append(script);
    return breach;
  });
  expect(refused).toBe('script-src-elem');
  await expect(page).not.toHaveTitle('taken over');
});
