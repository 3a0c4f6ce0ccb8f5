/**
 * Chat template and tokenizer in a worker of their own: both come with a model, and either may never come to
 * an end. The page ends the worker then. Messages in are one `{ id, load }`, then any number of `{ id, ask }`.
 * Each gets one message out with the same `id`: `{ ids }`, empty for a load, or `{ error }`.
 */
import { errorMessage } from '../../base/error-message.ts';
import type { Port } from '../../base/worker-server.ts';
import type { ChatModel } from '../text/chat-template.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import { loadModelTokenizer, promptIds, type PromptSwitches } from './prompt-reader.ts';

export type PromptRequest =
  | { id: number; load: { model: ChatModel; tokenizerJson: string } }
  | { id: number; ask: { text: string; switches: PromptSwitches } };

export type PromptResponse = { id: number; ids: number[] } | { id: number; error: string };

/** Answers the requests that arrive on a port. */
export function servePrompts(port: Port): void {
  let loaded: { model: ChatModel; tokenizer: Tokenizer } | null = null;

  function answer(request: PromptRequest): number[] {
    if ('load' in request) {
      const { model, tokenizerJson } = request.load;
      loaded = { model, tokenizer: loadModelTokenizer(model.chatTemplate, tokenizerJson) };
      return [];
    }
    if (!loaded) throw new Error('the model was not loaded before it was asked');
    const { text, switches } = request.ask;
    return promptIds(loaded.model, loaded.tokenizer, text, switches);
  }

  port.addEventListener('message', ({ data }) => {
    // Only this app's own client writes to the port.
    const request = data as PromptRequest;
    let response: PromptResponse;
    try {
      response = { id: request.id, ids: answer(request) };
    } catch (error) {
      response = { id: request.id, error: errorMessage(error) };
    }
    port.postMessage(response);
  });
}

if ('WorkerGlobalScope' in globalThis) servePrompts(globalThis);
