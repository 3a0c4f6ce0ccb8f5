/** Questions and their answers, one after the other, as the screen shows them. */
import type { Tokenizer } from '../../model/tokenizer.ts';
import type { Answer, AnswerResult, AskRequest } from '../room.ts';
import type { AnswerStatus, AnswerView } from '../view.ts';
import { generate, type Generation, type GenerationOptions } from './generation.ts';
import type { LapRunner } from './lap-runner.ts';
import type { Planning } from './planning.ts';
import { createSampler } from './sampler.ts';

export interface AnswersOptions extends Pick<
  GenerationOptions,
  'contextLength' | 'stopIds' | 'prefillChunk' | 'nextSequence' | 'release'
> {
  planning: Planning;
  laps: LapRunner;
  /** Null for a model without a tokenizer: it takes and gives token ids only. */
  tokenizer: Tokenizer | null;
  /** Token ids of what the model is to read for this text. */
  encodePrompt: (text: string) => number[];
  onView: (answers: AnswerView[]) => void;
  /** An answer is being computed, or no longer. */
  onComputing: (isComputing: boolean) => void;
}

export interface Answers {
  ask(request: AskRequest): Answer;
  stopAll(reason: string): void;
}

export function createAnswers(options: AnswersOptions): Answers {
  const views: AnswerView[] = [];
  const stops = new Set<AbortController>();
  let turn: Promise<unknown> = Promise.resolve();

  function show(id: number, change: Partial<AnswerView>): void {
    views[id] = { ...views[id], ...change };
    options.onView([...views]);
  }

  async function answer(
    id: number,
    request: AskRequest,
    promptIds: number[],
    askedMs: number,
    signal: AbortSignal,
  ): Promise<AnswerResult> {
    const { planning, laps, tokenizer, stopIds, contextLength } = options;
    const writer = tokenizer?.streamDecoder(promptIds);
    let text = '';
    let firstTokenMs: number | null = null;
    let lastTokenMs = 0;
    const tokenMs: number[] = [];
    options.onComputing(true);
    try {
      const made = await generate(planning, laps, {
        promptIds,
        sampler: createSampler(request.sampling),
        maxNewTokens: request.maxNewTokens,
        contextLength,
        stopIds,
        topLogits: request.topLogits,
        prefillChunk: (running) => request.prefillChunk ?? options.prefillChunk(running),
        nextSequence: options.nextSequence,
        release: options.release,
        signal,
        onReading: ({ predictedMsPerToken }) =>
          show(id, { status: { kind: 'reading', tokensRead: 0 }, predictedMsPerToken }),
        onPaused: (reason) => show(id, { status: { kind: 'paused', reason } }),
        onToken(token) {
          const nowMs = performance.now();
          if (firstTokenMs === null) firstTokenMs = nowMs;
          else tokenMs.push(nowMs - lastTokenMs);
          lastTokenMs = nowMs;
          if (!stopIds.has(token)) text += writer?.push(token) ?? '';
          const newTokens = tokenMs.length + 1;
          const status: AnswerStatus = { kind: 'writing' };
          const ttftMs = firstTokenMs - askedMs;
          show(id, { status, text, newTokens, ttftMs, msPerToken: median(tokenMs) });
        },
      });
      text += writer?.end() ?? '';
      show(id, { text, status: { kind: 'done', because: made.because } });
      return resultOf(made, promptIds, text, views[id].ttftMs ?? 0, median(tokenMs) ?? 0);
    } finally {
      options.onComputing(false);
    }
  }

  return {
    ask(request) {
      const id = views.length;
      const askedMs = performance.now();
      const stopping = new AbortController();
      stops.add(stopping);
      const { prompt } = request;
      views.push({
        id,
        prompt: prompt.kind === 'text' ? prompt.text : prompt.ids.join(', '),
        text: '',
        status: { kind: 'queued' },
        promptTokens: 0,
        newTokens: 0,
        ttftMs: null,
        msPerToken: null,
        predictedMsPerToken: 0,
      });
      const done = turn.then(async () => {
        try {
          const promptIds = prompt.kind === 'text' ? options.encodePrompt(prompt.text) : prompt.ids;
          checkPrompt(promptIds, options.contextLength);
          show(id, { promptTokens: promptIds.length });
          return await answer(id, request, promptIds, askedMs, stopping.signal);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          show(id, { status: { kind: 'failed', reason } });
          throw error;
        } finally {
          stops.delete(stopping);
        }
      });
      turn = done.catch(() => undefined);
      options.onView([...views]);
      return { id, done, stop: () => stopping.abort() };
    },
    stopAll(reason) {
      for (const stopping of stops) stopping.abort(new Error(reason));
    },
  };
}

function checkPrompt(ids: readonly number[], contextLength: number): void {
  if (ids.length === 0) throw new Error('The prompt is empty: write a few words first.');
  if (ids.length >= contextLength)
    throw new Error(
      `The prompt is ${ids.length} tokens long, and this model reads at most ${contextLength - 1}: shorten it.`,
    );
}

function resultOf(
  made: Generation,
  promptIds: number[],
  text: string,
  ttftMs: number,
  msPerToken: number,
): AnswerResult {
  return { ...made, promptIds, text, ttftMs, msPerToken };
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
