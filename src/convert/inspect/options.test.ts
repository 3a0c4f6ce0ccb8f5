import { Readable } from 'node:stream';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readOptions } from './options.ts';

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'inspect-options-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'messages.json');
  await writeFile(path, text);
  return path;
}

const messages = [{ role: 'user' as const, content: 'hi' }];

it('reads what is asked', async () => {
  const file = await fileWith(JSON.stringify(messages));
  expect(
    await readOptions([
      ...['owner/name', '--messages', file, '--no-generation-prompt', '--text', 'a b', '--special'],
      ...['--ids', '1, 2,3', '--hub', 'https://hub.example', '--json'],
    ]),
  ).toEqual({
    model: 'owner/name',
    questions: {
      messages,
      addGenerationPrompt: false,
      text: 'a b',
      special: true,
      ids: [1, 2, 3],
    },
    addressOnly: false,
    hubUrl: 'https://hub.example',
    json: true,
  });
  expect(await readOptions(['--help'])).toBe('help');
});

it('reads messages from standard input, with a byte order mark or without', async () => {
  const text = `\uFEFF${JSON.stringify(messages)}`;
  const read = await readOptions(['x', '--messages', '-'], Readable.from([Buffer.from(text)]));
  expect(read).toMatchObject({ questions: { messages, addGenerationPrompt: true } });
});

it.each([
  [[], /one MODEL is expected, and 0 came/],
  [['a', 'b'], /one MODEL is expected, and 2 came/],
  [['a', '--what'], /--what/],
  [['a', '--text'], /--text/],
  [['a', '--ids', '1,x'], /--ids takes whole numbers/],
  [['a', '--ids', ''], /--ids takes whole numbers/],
  [['a', '--ids', '1.5'], /--ids takes whole numbers/],
  [['a', '--ids', '99999999999999999999'], /--ids takes whole numbers/],
  [['a', '--special'], /give --text as well/],
  [['a', '--no-generation-prompt'], /give --messages as well/],
  [['a', '--address-only', '--text', 'x'], /fetches nothing/],
  [['a', '--hub', 'hub.example'], /--hub takes a web address/],
  [['a', '--messages', '/nowhere/messages.json'], /cannot be read/],
])('refuses %j in one sentence', async (args, sentence) => {
  const error: unknown = await readOptions(args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toMatch(sentence);
  expect(String(error)).not.toContain('\n');
});

it.each(['{', '{}', '[]', '["hi"]', '[{"role":"user"}]', '[{"role":7,"content":"x"}]'])(
  'refuses %s as messages',
  async (text) => {
    const file = await fileWith(text);
    await expect(readOptions(['a', '--messages', file])).rejects.toThrow(/--messages: /);
  },
);
