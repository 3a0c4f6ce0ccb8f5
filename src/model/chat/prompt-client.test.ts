import { readFileSync } from 'node:fs';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { llamaTokenizer } from '../fixtures/tokenizer-files.ts';
import type { Port, PortServer } from '../../base/worker-server.ts';
import { startPrompts, type PromptClient } from './prompt-client.ts';
import { servePrompts } from './prompt-worker.ts';
import { withinTime } from './within-time.ts';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** A Node port passes the data itself, a browser's port an event with the data. */
function asPort(port: MessagePort | Worker): Port {
  return {
    postMessage: (message) => port.postMessage(message),
    addEventListener: (_, listener) => port.on('message', (data: unknown) => listener({ data })),
  };
}

function served(): PortServer {
  const { port1, port2 } = new MessageChannel();
  servePrompts(asPort(port2));
  return { port: asPort(port1), close: () => port1.close(), onFailed: () => undefined };
}

/** A worker that loads and then never answers, as one does in whose template a loop has no end. */
function endless(): PortServer {
  const worker = new Worker(
    "require('node:worker_threads').parentPort.on('message', ({ id, load }) => {" +
      " if (!load) for (;;); require('node:worker_threads').parentPort.postMessage({ id, ids: [] }); })",
    { eval: true },
  );
  return { port: asPort(worker), close: () => void worker.terminate(), onFailed: () => undefined };
}

function start(
  template: string | null,
  open: () => PortServer,
  reads: string[] = [],
): PromptClient {
  const client = startPrompts({
    model: {
      chatTemplate: template,
      title: 'Tiny',
      specialTokens: undefined,
      config: { bos_token_id: 1, eos_token_id: [2] },
    },
    readTokenizer() {
      reads.push('read');
      return Promise.resolve(JSON.stringify(llamaTokenizer));
    },
    open,
    askLimitMs: 200,
  });
  closing.push(() => client.close());
  return client;
}

describe('prompts from a worker', () => {
  it('are ids of the template’s text, or of the text itself for a base model', async () => {
    expect((await start(null, served).encode('He ate')).at(0)).toBe(1);
    const chat = start('{{ messages[0].content }}{{ thinking }}', served);
    const plain = await chat.encode('He');
    expect(await chat.encode('He', { thinking: true })).not.toEqual(plain);
  });

  it('are refused with the template’s own words, and the next one is answered', async () => {
    const client = start(
      "{% if messages[0].content == 'bad' %}{{ raise_exception('not this') }}{% endif %}ok",
      served,
    );
    await expect(client.encode('bad')).rejects.toThrow(/does not take this conversation: not this/);
    expect((await client.encode('good')).length).toBeGreaterThan(0);
  });

  it('that come to no end are stopped, and the page stays awake meanwhile', async () => {
    let opened = 0;
    const reads: string[] = [];
    const client = start('x', () => (++opened === 1 ? endless() : served()), reads);
    let ticks = 0;
    const clock = setInterval(() => ticks++, 10);
    await expect(client.encode('a')).rejects.toThrow(
      /chat template or its tokenizer did not come to an end within 0.2 seconds and was stopped/,
    );
    clearInterval(clock);
    expect(ticks).toBeGreaterThan(5);
    expect((await client.encode('b')).length).toBeGreaterThan(0);
    expect([opened, reads.length]).toEqual([2, 2]);
  });

  it('say that a worker cannot be loaded', async () => {
    const client = start('x', () => ({
      port: { postMessage: () => undefined, addEventListener: () => undefined },
      close: () => undefined,
      onFailed: (callback) => setTimeout(() => callback('no such file'), 1),
    }));
    await expect(client.encode('a')).rejects.toThrow(
      /^The worker that reads prompts failed: no such file/,
    );
  });

  it('are given up when the room closes', async () => {
    const client = start('x', served);
    client.close();
    await expect(client.encode('a')).rejects.toThrow(/closed/);
  });
});

describe('a time limit in Node', () => {
  it('ends loops and search patterns that come to no end', () => {
    const what = 'The model’s chat template';
    expect(() =>
      withinTime(what, 50, () => {
        for (;;);
      }),
    ).toThrow(/^The model’s chat template did not come to an end within 0.05 seconds/);
    expect(() => withinTime(what, 50, () => /^(a+)+$/.test(`${'a'.repeat(40)}b`))).toThrow(
      /0.05 seconds/,
    );
  });

  it('hands on what comes of the work', () => {
    expect(withinTime('It', 1000, () => 7)).toBe(7);
    expect(() =>
      withinTime('It', 1000, () => {
        throw new Error('of its own');
      }),
    ).toThrow('of its own');
  });
});

it('the worker’s file is named where bundlers look for it', () => {
  const source = readFileSync(new URL('./prompt-client.ts', import.meta.url), 'utf8');
  expect(source).toContain("new Worker(new URL('./prompt-worker.ts', import.meta.url), {");
});
