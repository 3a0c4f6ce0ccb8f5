/** What is broken before it reaches a room: a sentence that says so, and nothing half-written behind it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tinyLlama2c } from '../../../src/convert/fixtures/tiny-llama2c.ts';
import { startServer, type RunningServer } from '../../../src/server/server.ts';
import { projectDir, shardsDir } from '../../harness/project.ts';
import { openTabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test } from '../../harness/test.ts';

let folder = '';

test.beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'broken-'));
});
test.afterEach(() => rm(folder, { recursive: true }));

test.describe('models that are broken on the server', () => {
  let shards = '';
  let server: RunningServer;

  test.beforeEach(async () => {
    shards = join(folder, 'shards');
    await cp(join(shardsDir, 'stories15m'), join(shards, 'stories15m'), { recursive: true });
    server = await startServer({ projectDir, shardsDir: shards, onStep: () => undefined });
  });
  test.afterEach(() => server.close());

  test('a tampered shard is named, nothing of it is kept, and its repair is enough', async ({
    newDevice,
  }) => {
    const path = join(shards, 'stories15m/layer-2.bin');
    const whole = await readFile(path);
    const tampered = Buffer.from(whole);
    tampered[1_000_000] ^= 1;
    await writeFile(path, tampered);

    const page = await newDevice();
    const fetched = new Set<string>();
    page.on('request', (request) => fetched.add(new URL(request.url()).pathname));
    await page.goto(`${server.httpOrigin}/?backend=wasm&threads=1&weights=f32`);
    await page.getByRole('button', { name: 'Open a room' }).click();
    await expect(page.getByText(/layer-2\.bin is damaged or was changed: .* again\./)).toBeVisible({
      timeout: 60_000,
    });
    expect(fetched).toContain('/shards/stories15m/layer-1.bin');

    await writeFile(path, whole);
    // The room opens again with its page.
    fetched.clear();
    await page.reload();
    const held = page.getByRole('article', { name: /^Device host:/ }).getByRole('definition');
    await expect(held.first()).toHaveText('whole model', { timeout: 60_000 });
    expect(fetched).toContain('/shards/stories15m/layer-2.bin');
    expect(fetched).not.toContain('/shards/stories15m/layer-1.bin');
  });

  test('broken manifests are refused with what is wrong, and hide no other model', async ({
    browser,
    newDevice,
  }) => {
    const manifest = await readFile(join(shards, 'stories15m/manifest.json'), 'utf8');
    const broken = {
      truncated: manifest.slice(0, manifest.length / 2),
      unknown: manifest.replace('"model_type": "llama"', '"model_type": "mamba"'),
    };
    for (const [name, text] of Object.entries(broken)) {
      await mkdir(join(shards, name));
      await writeFile(join(shards, name, 'manifest.json'), text);
    }
    const refusal = (name: string): Promise<unknown> => {
      const model = { kind: 'shards', manifestUrl: `shards/${name}/manifest.json` } as const;
      return openTabRoom(browser, { origin: server.httpOrigin, devices: 1, host: { model } });
    };
    await expect(refusal('truncated')).rejects.toThrow(/is not complete JSON; cut or fetch/);
    await expect(refusal('unknown')).rejects.toThrow(
      /is a "mamba", an architecture that is not supported; these are: llama, /,
    );
    const page = await newDevice();
    await page.goto(server.httpOrigin);
    await expect(page.getByRole('radio', { name: /Stories 15M/ })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Open a room' })).toBeEnabled();
  });
});

test.describe('checkpoints that cannot be cut', () => {
  const llama2c = tinyLlama2c();
  const nonsense = llama2c.slice();
  nonsense.fill(0xff, 0, 28);
  const config = readFileSync(
    join(projectDir, 'src/engine/fixtures/tiny-llama/config.json'),
    'utf8',
  );

  /** Runs the command on an input in `folder`; gives its one sentence and what it left of its output. */
  async function cut(input: string): Promise<{ sentence: string; left: string[] }> {
    const out = join(folder, 'out');
    await mkdir(out);
    const command = [
      join(projectDir, 'src/convert/cutting/shard.ts'),
      join(folder, input),
      '--out',
      out,
    ];
    const tsx = join(projectDir, 'node_modules/tsx/dist/cli.mjs');
    const failure = await promisify(execFile)(process.execPath, [tsx, ...command]).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 1 });
    const stderr = failure instanceof Error && 'stderr' in failure ? String(failure.stderr) : '';
    return { sentence: stderr.trim(), left: await readdir(out) };
  }

  const cases: [string, Record<string, string | Uint8Array>, string, RegExp][] = [
    ['cut short', { 'model.bin': llama2c.subarray(0, 5000) }, 'model.bin', /bytes/],
    ['with a broken header', { 'model.bin': nonsense }, 'model.bin', /llama2\.c/],
    [
      'of an unknown architecture',
      {
        'config.json': config.replace('"llama"', '"mamba"'),
        'model.safetensors': new Uint8Array(16),
      },
      '.',
      /mamba/,
    ],
  ];
  for (const [what, files, input, failureReport] of cases)
    test(`a checkpoint ${what} is refused in one sentence, and leaves nothing`, async () => {
      for (const [name, content] of Object.entries(files))
        await writeFile(join(folder, name), content);
      const { sentence, left } = await cut(input);
      expect(sentence).toMatch(failureReport);
      expect(sentence.split('\n')).toHaveLength(1);
      expect(left).toEqual([]);
    });
});
