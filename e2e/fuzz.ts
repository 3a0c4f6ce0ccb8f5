/** `npm run fuzz -- --frames 1000000 --seed S`: anything at all to every handler of what other devices send. */
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { runCommand, say, wholeNumber } from './bench/bench-stand.ts';
import { table } from './bench/table.ts';
import type * as fuzz from './fuzz/run-fuzz.ts';
import { projectDir } from './harness/project.ts';

const usage = `Usage: npm run fuzz -- [--frames N] [--seed S] [--json]

Random, spoilt and replayed frames and messages, N of them (default: 1000000), to the real parsers and handlers of
links, hosts, devices, stages and the relay, while honest devices beside them go on. Fails where one breaks, where
memory grows, and where a type of message was never valid or never refused.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      frames: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const frames = wholeNumber(values.frames, '--frames');
  const { runFuzz, heapGrowthMb } = await load();
  const seed = wholeNumber(values.seed, '--seed', 0);
  const report = await runFuzz(frames, seed, say).catch((error: unknown) => {
    // Where it broke is what one wants to know.
    throw new Error(error instanceof Error ? error.stack : String(error));
  });
  console.log(values.json ? JSON.stringify(report) : text(report));
  const [early, late] = report.heapMb;
  if (report.missing.length > 0)
    throw new Error(
      `Never valid, or never refused: ${report.missing.map(({ handler, type }) => `${type} (${handler})`).join(', ')}.`,
    );
  if (late - early > heapGrowthMb)
    throw new Error(`The heap grew by ${Math.round(late - early)} MB, more than ${heapGrowthMb}.`);
}

/** As the app is put together, not as Node would: PeerJS comes in a form that Node reads no names from. */
async function load(): Promise<typeof fuzz> {
  const server = await createServer({
    configFile: false,
    root: projectDir,
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    ssr: { noExternal: ['peerjs'] },
  });
  return (await server.ssrLoadModule('/e2e/fuzz/run-fuzz.ts')) as typeof fuzz;
}

function text({ seed, frames, seconds, counts, heapMb }: fuzz.FuzzReport): string {
  return [
    table(counts.map((count) => ({ ...count }))),
    '',
    `Seed ${seed}: ${frames} frames in ${Math.round(seconds)} s, ${Math.round(frames / seconds)} a second; ` +
      `heap ${heapMb[0].toFixed(0)} MB after a tenth, ${heapMb[1].toFixed(0)} MB at the end.`,
  ].join('\n');
}

runCommand(main);
