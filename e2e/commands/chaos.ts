/** `npm run chaos -- --minutes 5 --seed S [--json]`: a room that answers while faults are injected into its devices. Fails if any answer suffers. */
import { errorMessage } from '../../src/base/error-message.ts';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { defaultModel } from '../../src/model/catalogue.ts';
import { wholeNumber } from '../bench/bench-stand.ts';
import type { Logbook } from '../chaos/logbook.ts';
import { asJson, asText, isFlawless } from '../chaos/report.ts';
import { runChaos } from '../chaos/run-chaos.ts';
import { findBrowser } from '../harness/find-browser.ts';
import { serveModel } from '../harness/servers/serve-model.ts';

const usage = `Usage: npm run chaos -- [options]

Opens a room of real browsers that answers all the time, and has tabs close, crash and freeze, networks break,
devices join, engines fail and the host reload, by a schedule drawn from the seed. Every answer has to be what it
is in a room that nobody disturbs.

  --minutes N    how long things go wrong (default: 5)
  --seed S       the schedule (default: 1)
  --devices N    3 to 5, the host included (default: 4)
  --webgpu       compute on a software graphics processor, and lose it, too
  --log FILE     everything that the screens showed, one line of JSON each
  --json         one object on standard output and nothing else
  --help         show this
`;

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      devices: { type: 'string', default: '4' },
      webgpu: { type: 'boolean', default: false },
      log: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return true;
  }
  const minutes = wholeNumber(values.minutes, '--minutes');
  const machines = wholeNumber(values.devices, '--devices', 3);
  if (machines > 5) throw new Error(`--devices must be 3 to 5, not ${machines}.`);
  // Steps and faults on standard error: standard output carries the report alone.
  const say = (sentence: string): void => console.error(sentence);
  const { executablePath } = await findBrowser(say);
  const served = await serveModel(defaultModel, say);
  const report = await runChaos({
    origin: served.origin,
    executablePath,
    seed: wholeNumber(values.seed, '--seed', 0),
    durationMs: minutes * 60_000,
    machines,
    betweenMs: [3000, 9000],
    longestMs: 20_000,
    together: 3,
    backend: values.webgpu ? 'webgpu' : 'wasm',
    say,
    onLogbook: ({ of }) => {
      if (values.log !== undefined) writeFileSync(values.log, linesOf(of));
    },
  });
  console.log(values.json ? asJson(report) : asText(report));
  return isFlawless(report);
}

/** In order of time. */
function linesOf(of: Logbook['of']): string {
  return [...of]
    .flatMap(([machine, observations]) =>
      observations.map((observation) => ({ machine, ...observation })),
    )
    .sort((a, b) => a.atMs - b.atMs)
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

main().then(
  (flawless) => process.exit(flawless ? 0 : 1),
  (error: unknown) => {
    console.error(errorMessage(error));
    process.exit(2);
  },
);
