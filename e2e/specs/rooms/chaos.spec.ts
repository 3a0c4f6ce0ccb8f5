/** A short run of `npm run chaos`: what has to hold for minutes holds for half of one. */
import { asText, reportsOf } from '../../chaos/report.ts';
import { runChaos } from '../../chaos/run-chaos.ts';
import { expect, test } from '../../harness/test.ts';

test('a room goes on answering, token for token, whatever becomes of its devices', async ({
  serverOrigin,
  launchOptions,
}) => {
  test.setTimeout(300_000);
  const report = await runChaos({
    origin: serverOrigin,
    executablePath: launchOptions.executablePath ?? '',
    seed: 6,
    durationMs: 25_000,
    machines: 3,
    betweenMs: [2000, 4000],
    longestMs: 6000,
    together: 2,
    backend: 'wasm',
    say: () => undefined,
  });
  console.log(asText(report));
  expect([...reportsOf(report.verdict), ...report.problems]).toEqual([]);
  expect(report.effects.length).toBeGreaterThan(4);
  expect(report.verdict.answers).toBeGreaterThan(2);
});
