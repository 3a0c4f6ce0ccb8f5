import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startRangeServer, type RangeServer } from '../../../convert/fixtures/range-server.ts';
import { tinySafetensors, writeSafetensors } from '../../../convert/fixtures/safetensors-writer.ts';
import { writeGguf } from '../../../convert/fixtures/gguf-writer.ts';
import {
  tinyGgufConfig,
  tinyGgufMetadata,
  tinyGgufTensors,
} from '../../../convert/fixtures/tiny-gguf.ts';
import type { ModelChoice } from '../../room.ts';
import { describedProblem, problemOf } from './model-problem.ts';
import { openModel } from './open-model.ts';

let server: RangeServer | undefined;
beforeEach(() => {
  vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0' });
  vi.stubGlobal('document', { baseURI: 'http://localhost:5173/' });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server?.close();
  server = undefined;
});

const config = JSON.stringify({ ...tinyGgufConfig, model_type: 'mamba2' });
const mambaMetadata = {
  ...tinyGgufMetadata(),
  'general.architecture': ['string', 'mamba'] as ['string', string],
};
const weights = writeSafetensors(tinySafetensors(tinyGgufConfig));

/** As a browser gives it when a folder was dropped. */
function droppedFile(path: string, content: BlobPart): File {
  const file = new File([content], path.replace(/^.*\//, ''));
  return Object.defineProperty(file, 'webkitRelativePath', { value: path });
}

async function thrownBy(choice: ModelChoice): Promise<unknown> {
  return openModel(choice).then(
    () => null,
    (error: unknown) => error,
  );
}

it('tells of a model on a hub what its files say, without token and private address', async () => {
  const folder = '/owner/tiny/resolve/main';
  server = await startRangeServer(
    new Map<string, Uint8Array>([
      [`${folder}/config.json`, new TextEncoder().encode(config)],
      [`${folder}/model.safetensors`, weights],
    ]),
  );
  const { origin } = server;
  const choice: ModelChoice = {
    kind: 'hub',
    id: 'owner/tiny',
    accessToken: 'my-own-token',
    hubUrl: origin,
  };
  const { instead, report } = await describedProblem(choice, await thrownBy(choice));
  expect(instead).toMatch(/a family that runs here/);
  expect(report).toMatch(/^browser: Chrome on Linux\nchosen as: hub\n/);
  expect(report).toMatch(/refused +this model is a "mamba2"/);
  expect(report).toMatch(/family +mamba2/);
  expect(report).toMatch(/weights +F16 53,632 bytes, F32 640 bytes/);
  expect(report).not.toMatch(/my-own-token|127\.0\.0\.1/);
  expect(report).not.toContain(new URL(origin).port);
});

it('tells of picked files what they say', async () => {
  const files = [
    droppedFile('tiny/config.json', config),
    droppedFile('tiny/model.safetensors', weights),
  ];
  const choice: ModelChoice = { kind: 'files', files };
  const { report } = await describedProblem(choice, await thrownBy(choice));
  expect(report).toMatch(/refused +this model is a "mamba2"/);
  expect(report).toMatch(/layers +2/);
});

it.each([
  ['a GGUF file', 'tiny.gguf', { 'tiny.gguf': writeGguf(mambaMetadata, tinyGgufTensors()) }],
  [
    'a folder',
    '',
    { 'config.json': new TextEncoder().encode(config), 'model.safetensors': weights },
  ],
  ['shards', 'manifest.json', { 'manifest.json': new TextEncoder().encode('{}') }],
])('says nothing of what signs the address of %s, which it reads by it', async (_, name, files) => {
  const query = '?X-Amz-Signature=f00ba4c0ffee&X-Amz-Expires=60';
  server = await startRangeServer(
    new Map(Object.entries(files).map(([path, bytes]) => [`/secret/${path}${query}`, bytes])),
  );
  const url = `${server.origin}/secret/${name}${query}`;
  const choice: ModelChoice = { kind: 'url', url, accessToken: 'my-own-token' };
  const error = await thrownBy(choice);
  const known = await describedProblem(choice, error);
  expect(known.report).toMatch(
    /refused +(this model is a "mamba2"|.*"mamba"|the manifest is broken)/,
  );
  for (const { instead, report } of [problemOf(choice, error), known])
    expect(instead + report).not.toMatch(/f00ba4|X-Amz|my-own-token|127\.0|secret/);
});

it('tells of the file that a hub lists what that says', async () => {
  const list = [
    { type: 'file', path: 'q/tiny-Q8_0.gguf' },
    { type: 'file', path: 'q/tiny-Q4_K_M.gguf' },
  ];
  server = await startRangeServer(
    new Map<string, Uint8Array>([
      [
        '/api/models/owner/tiny/tree/main?recursive=true',
        new TextEncoder().encode(JSON.stringify(list)),
      ],
      ['/owner/tiny/resolve/main/q/tiny-Q4_K_M.gguf', writeGguf(mambaMetadata, tinyGgufTensors())],
    ]),
  );
  const hub = { kind: 'hub', accessToken: null, hubUrl: server.origin } as const;
  const listed: ModelChoice = { ...hub, id: 'owner/tiny:Q4_K_M' };
  const { report } = await describedProblem(listed, await thrownBy(listed));
  expect(report).toMatch(/file +tiny-Q4_K_M\.gguf/);
  expect(report).toMatch(/family +mamba/);
  const missing: ModelChoice = { ...hub, id: 'owner/tiny:Q2_K' };
  const other = await describedProblem(missing, await thrownBy(missing));
  expect(other.report).toMatch(/refused .*no GGUF file of the type Q2_K; it has Q8_0, Q4_K_M/);
});

it('tells of picked files those of the model, and not of folders in its folder', async () => {
  const files = [
    droppedFile('any/tiny/previous/config.json', '{"model_type":"llama"}'),
    droppedFile('any/tiny/config.json', config),
    droppedFile('any/tiny/model.safetensors', weights),
  ];
  const choice: ModelChoice = { kind: 'files', files };
  const { report } = await describedProblem(choice, await thrownBy(choice));
  expect(report).toMatch(/family +mamba2/);
  expect(report).toMatch(/layers +2/);
});

it('tells what it can where nothing is reached, or the choice is none', async () => {
  const choices: ModelChoice[] = [
    { kind: 'url', url: 'http://jane:s3cr3t@127.0.0.1:9/tiny.gguf?sig=f00ba4' },
    { kind: 'hub', id: '../..', accessToken: null },
    { kind: 'shards', manifestUrl: 'http://127.0.0.1:9/manifest.json?sig=f00ba4' },
    { kind: 'files', files: [] },
  ];
  for (const choice of choices) {
    const error = await thrownBy(choice);
    for (const problem of [problemOf(choice, error), await describedProblem(choice, error)]) {
      expect(problem.instead).not.toBe('');
      expect(problem.report).toMatch(/refused +\S/);
      expect(problem.report).not.toMatch(/jane|s3cr3t|f00ba4|127\.0/);
    }
  }
});
