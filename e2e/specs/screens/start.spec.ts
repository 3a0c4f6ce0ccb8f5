import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { projectDir } from '../../harness/project.ts';
import { expect, test } from '../../harness/test.ts';

test('npm start shows the way in, answers there, and ends with Ctrl+C', async ({ newDevice }) => {
  const ports = ['--port', String(await freePort()), '--https-port', String(await freePort())];
  const { command, printed } = start(ports);
  try {
    await expect.poll(printed, { timeout: 60_000 }).toContain('Ctrl+C ends it.');
    const origin = /On this machine: +(\S+)/.exec(printed())?.[1] ?? '';
    const page = await newDevice();
    await page.goto(origin);
    await expect(page).toHaveTitle(/EdgeShard/);
    await page.goto(`${origin}/certificate`);
    const fingerprint = await page.locator('.fingerprint').innerText();
    expect(printed().replaceAll(/\s/g, '')).toContain(fingerprint.slice(0, 47));
  } finally {
    command.kill('SIGINT');
  }
  expect(await once(command, 'close')).toEqual([0, null]);
});

test('npm start with an option it does not know: a sentence and status 2', async () => {
  const { command, printed } = start(['--prot', '80']);
  expect(await once(command, 'close')).toEqual([2, null]);
  expect(printed()).toBe("Unknown option '--prot'. Try --help.\n");
});

/** What `npm start` runs, without npm's own lines around it. */
function start(args: string[]): { command: ChildProcess; printed: () => string } {
  const script = ['--import', 'tsx', 'src/server/start.ts', ...args];
  const command = spawn(process.execPath, script, { cwd: projectDir });
  let text = '';
  for (const stream of [command.stdout, command.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { command, printed: () => text };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
