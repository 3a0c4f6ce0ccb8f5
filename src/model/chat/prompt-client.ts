/** The page's side of the prompt worker: asks it, and ends it where it comes to no end. */
import { workerServer, type PortServer } from '../../base/worker-server.ts';
import type { ChatModel } from '../text/chat-template.ts';
import { neverEnded } from './endless.ts';
import type { PromptSwitches } from './prompt-reader.ts';
import type { PromptRequest, PromptResponse } from './prompt-worker.ts';

export interface PromptClient {
  /** Ids of what the model is to read for this text. Rejects with one sentence. */
  encode(text: string, switches?: PromptSwitches): Promise<number[]>;
  /** Ends the worker. */
  close(): void;
}

export interface PromptClientOptions {
  model: ChatModel;
  /** The text of the model's `tokenizer.json`. It is asked for again where the worker had to be ended. */
  readTokenizer: () => Promise<string>;
  /** Opens what `servePrompts` answers in; a worker unless told. */
  open?: () => PortServer;
  /** How long one prompt may take, and how long loading may. */
  askLimitMs?: number;
  loadLimitMs?: number;
}

/** Bundlers recognise the URL and build the worker as a separate entry. */
function openWorker(): PortServer {
  return workerServer(
    new Worker(new URL('./prompt-worker.ts', import.meta.url), { type: 'module', name: 'prompts' }),
  );
}

interface Loaded {
  /** Resolves with the answer, or rejects with one sentence. */
  ask(request: PromptRequest, limitMs: number, what: string): Promise<number[]>;
  close(): void;
}

/** Starts the worker and has it load the model, so that the first question does not wait for that. */
export function startPrompts({
  model,
  readTokenizer,
  open = openWorker,
  askLimitMs = 10_000,
  loadLimitMs = 60_000,
}: PromptClientOptions): PromptClient {
  let nextId = 1;
  let isClosed = false;
  let loaded: Promise<Loaded> | null = null;
  /** Prompts are made one after the other, so that each has its own time. */
  let last: Promise<unknown> = Promise.resolve();

  async function load(): Promise<Loaded> {
    const tokenizerJson = await readTokenizer();
    const server = connect(open());
    try {
      const request = { id: nextId++, load: { model, tokenizerJson } };
      await server.ask(request, loadLimitMs, 'The model’s tokenizer');
      return server;
    } catch (error) {
      server.close();
      throw error;
    }
  }

  function ready(): Promise<Loaded> {
    if (isClosed) return Promise.reject(new Error('The room is closed.'));
    const loading = loaded ?? load();
    loaded = loading;
    loading.catch(() => (loaded = null));
    return loading;
  }

  async function ask(text: string, switches: PromptSwitches): Promise<number[]> {
    const server = await ready();
    const request = { id: nextId++, ask: { text, switches } };
    try {
      return await server.ask(request, askLimitMs, 'The model’s chat template or its tokenizer');
    } catch (error) {
      // What the template refuses leaves the worker as it was.
      if (!(error instanceof Refusal)) loaded = null;
      throw error;
    }
  }

  ready().catch(() => undefined);
  return {
    encode(text, switches = {}) {
      const prompt = last.then(() => ask(text, switches));
      last = prompt.catch(() => undefined);
      return prompt;
    },
    close() {
      isClosed = true;
      void loaded?.then((server) => server.close()).catch(() => undefined);
      loaded = null;
    },
  };
}

/** The worker answered that it cannot. */
class Refusal extends Error {}

function connect({ port, close, onFailed }: PortServer): Loaded {
  let waiting: { id: number; settle: (response: PromptResponse) => void } | null = null;
  let fail: (error: Error) => void = () => undefined;
  let failure: Error | null = null;
  port.addEventListener('message', ({ data }) => {
    const response = data as PromptResponse;
    if (waiting?.id === response.id) waiting.settle(response);
  });
  onFailed((why) => {
    failure = new Error(
      `The worker that reads prompts failed: ${why}. Check that this device reaches the server, then load the page again.`,
    );
    close();
    fail(failure);
  });
  return {
    close,
    ask: (request, limitMs, what) =>
      new Promise((resolve, reject) => {
        if (failure) {
          reject(failure);
          return;
        }
        const timer = setTimeout(() => {
          close();
          reject(new Error(neverEnded(what, limitMs)));
        }, limitMs);
        fail = (error) => {
          clearTimeout(timer);
          reject(error);
        };
        waiting = {
          id: request.id,
          settle(response) {
            clearTimeout(timer);
            waiting = null;
            if ('ids' in response) resolve(response.ids);
            else reject(new Refusal(response.error));
          },
        };
        port.postMessage(request);
      }),
  };
}
