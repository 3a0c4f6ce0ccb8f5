/** `npm run shard -- INPUT`: cuts a checkpoint into shards that a room can load. */
import { errorMessage } from '../../base/error-message.ts';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { StorableDtype } from '../../model/numbers/quantise.ts';
import type { ModelLabel } from '../checkpoint.ts';
import { cutShards } from './cut.ts';
import { openCheckpointAt, type OpenedCheckpoint } from '../open-checkpoint.ts';
import { openRemote } from '../open-remote.ts';

const usage = `usage: npm run shard -- INPUT [--out DIR] [--weights f32|f16|q8|q4] [--name NAME] [--licence TEXT]

INPUT is a Hugging Face folder, a GGUF file (any part of a split one) or a llama2.c checkpoint (.bin) on
this computer, a hub id (owner/name or owner/name:Q4_K_M), or the address of such a folder or GGUF file.
DIR is the folder for the model's own folder; shards by default.
Without --weights every tensor keeps its type.`;

const storedAs: Record<string, StorableDtype> = { f32: 'F32', f16: 'F16', q8: 'Q8_0', q4: 'Q4_0' };

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string', default: 'shards' },
      weights: { type: 'string' },
      name: { type: 'string' },
      licence: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const [input] = positionals;
  if (values.help || positionals.length !== 1) throw new Error(usage);
  if (values.weights !== undefined && !(values.weights in storedAs))
    throw new Error(`--weights must be f32, f16, q8 or q4, not "${values.weights}"`);
  if (values.name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(values.name))
    throw new Error(`--name must be letters, digits, dots and dashes, not "${values.name}"`);

  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('stopped; nothing was left behind')));
  const { checkpoint, close } = await openInput(
    input,
    {
      ...(values.name !== undefined && { name: values.name }),
      ...(values.licence !== undefined && { licence: values.licence }),
    },
    abort.signal,
  );
  try {
    const folder = join(resolve(values.out), checkpoint.manifest.name);
    const manifest = await cutShards(checkpoint, folder, {
      weights: values.weights === undefined ? null : storedAs[values.weights],
      onProgress: (bytes, totalBytes) => showProgress('cutting', bytes, totalBytes),
      golden: {
        onProgress: (bytes, totalBytes) => showProgress('recording', bytes, totalBytes),
        onWithout: (reason) =>
          console.error(`cut without golden states, so rooms cannot prove its layers: ${reason}`),
      },
      signal: abort.signal,
    });
    if (process.stdout.isTTY) process.stdout.write('\n');
    console.log(manifest);
  } finally {
    await close();
  }
}

/** An input that is not on this computer is opened from a server. */
async function openInput(
  input: string,
  label: Partial<ModelLabel>,
  signal: AbortSignal,
): Promise<OpenedCheckpoint> {
  if (existsSync(input)) return openCheckpointAt(resolve(input), label);
  const { manifest, sources } = await openRemote(input, { signal });
  const checkpoint = { manifest: { ...manifest, ...label }, sources };
  return { checkpoint, close: () => Promise.resolve() };
}

function showProgress(step: string, bytes: number, totalBytes: number): void {
  if (!process.stdout.isTTY) return;
  const percent = Math.floor((100 * bytes) / totalBytes);
  process.stdout.write(`\r${step} ${percent} % of ${(totalBytes / 1e6).toFixed(1)} MB`);
}

main().catch((error: unknown) => {
  console.error(errorMessage(error));
  process.exitCode = 1;
});
