/** Questions and their answers: several in flight together, the rest waiting in a fair line. */
import type { Tokenizer } from '../../model/tokenizer.ts';
import type { Answer, AnswerResult, AskRequest } from '../room.ts';
import type { AnswerView } from '../view.ts';
import { generate, type Generation, type GenerationOptions } from './generation.ts';
import type { LapRunner } from './lap-runner.ts';
import type { Planning } from './planning.ts';
import { createSampler } from './sampler.ts';
import type { Turns } from './turns.ts';
import { createWaitingLine } from './waiting-line.ts';

export interface AnswersOptions extends Pick<
  GenerationOptions,
  'contextLength' | 'vocabularySize' | 'stopIds' | 'prefillChunk' | 'speculation' | 'sequences'
> {
  planning: Planning;
  laps: LapRunner;
  turns: Turns;
  /** Null for a model without a tokenizer: it takes and gives token ids only. */
  tokenizer: Tokenizer | null;
  /** Token ids of what the model is to read for this text. */
  encodePrompt: (text: string) => number[];
  /** How many answers fit the devices' memory together; at least 1. */
  capacity: () => number;
  onView: (answers: AnswerView[]) => void;
  /** How many answers are in flight now. */
  onInFlight: (count: number) => void;
}

export interface Asker {
  /** A device's id. */
  id: string;
  /** The host must agree before the question is answered. */
  needsApproval: boolean;
  /** Hears of every change of the answer. */
  onAnswer: (answer: AnswerView) => void;
}

export interface Answers {
  ask(request: AskRequest, by: Asker): Answer;
  /** Allows a question that awaits it, or refuses it. */
  decide(answerId: number, isAllowed: boolean): void;
  stop(answerId: number): void;
  /** There may be room for more answers than before. */
  capacityChanged(): void;
  /** Stops what this asker asked, or with null everything. */
  stopAll(asker: string | null, reason: string): void;
}

interface Entry {
  id: number;
  asker: string;
  request: AskRequest;
  askedMs: number;
  stopping: AbortController;
  onAnswer: (answer: AnswerView) => void;
  resolve: (result: AnswerResult) => void;
  reject: (error: Error) => void;
}

export function createAnswers(options: AnswersOptions): Answers {
  const views: AnswerView[] = [];
  const line = createWaitingLine<Entry>();
  const inFlight = new Set<Entry>();
  /** Questions that await the host's decision. */
  const undecided = new Set<Entry>();
  const entries = new Map<number, Entry>();

  function show(entry: Entry, change: Partial<AnswerView>): void {
    views[entry.id] = { ...views[entry.id], ...change };
    entry.onAnswer(views[entry.id]);
    options.onView([...views]);
  }

  function startWaiting(): void {
    while (inFlight.size < Math.max(1, options.capacity())) {
      const entry = line.take();
      if (!entry) break;
      inFlight.add(entry);
      options.onInFlight(inFlight.size);
      void run(entry);
    }
    line.order().forEach((entry, index) => {
      show(entry, { status: { kind: 'queued', place: index + 1 } });
    });
  }

  async function run(entry: Entry): Promise<void> {
    const leaveTurns = options.turns.enter();
    try {
      entry.resolve(await answer(entry));
    } catch (error) {
      fail(entry, error);
    } finally {
      leaveTurns();
      inFlight.delete(entry);
      options.onInFlight(inFlight.size);
      startWaiting();
    }
  }

  function fail(entry: Entry, error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    show(entry, { status: { kind: 'failed', reason: failure.message } });
    entry.reject(failure);
  }

  async function answer(entry: Entry): Promise<AnswerResult> {
    const { request, askedMs, stopping } = entry;
    const { stopIds, contextLength, tokenizer } = options;
    const { prompt } = request;
    const promptIds = prompt.kind === 'text' ? options.encodePrompt(prompt.text) : prompt.ids;
    checkPrompt(promptIds, contextLength, options.vocabularySize);
    show(entry, { promptTokens: promptIds.length });
    const writer = tokenizer?.streamDecoder(promptIds);
    let text = '';
    let firstTokenMs: number | null = null;
    let lastTokenMs = 0;
    let newTokens = 0;
    /** One a lap. */
    const tokenMs: number[] = [];
    const made = await generate(options.planning, options.laps, {
      promptIds,
      sampler: createSampler(request.sampling),
      maxNewTokens: request.maxNewTokens,
      contextLength,
      vocabularySize: options.vocabularySize,
      stopIds,
      topLogits: request.topLogits,
      prefillChunk: (running) => request.prefillChunk ?? options.prefillChunk(running),
      speculation: options.speculation,
      sequences: options.sequences,
      turn: (signal) => options.turns.next(signal),
      signal: stopping.signal,
      onReading: ({ plan }, tokensRead) =>
        show(entry, {
          status: { kind: 'reading', tokensRead },
          predictedMsPerToken: plan.lapMs,
        }),
      onPaused: (reason) => show(entry, { status: { kind: 'paused', reason } }),
      onTokens(ids) {
        const nowMs = performance.now();
        if (firstTokenMs === null) firstTokenMs = nowMs;
        else tokenMs.push((nowMs - lastTokenMs) / ids.length);
        lastTokenMs = nowMs;
        newTokens += ids.length;
        for (const id of ids) if (!stopIds.has(id)) text += writer?.push(id) ?? '';
        show(entry, {
          status: { kind: 'writing' },
          text,
          newTokens,
          ttftMs: firstTokenMs - askedMs,
          msPerToken: median(tokenMs),
        });
      },
    });
    text += writer?.end() ?? '';
    show(entry, { text, status: { kind: 'done', because: made.because } });
    return resultOf(made, promptIds, views[entry.id]);
  }

  return {
    ask(request, { id: asker, needsApproval, onAnswer }) {
      const id = views.length;
      const stopping = new AbortController();
      const { prompt } = request;
      views.push({
        id,
        asker,
        prompt: prompt.kind === 'text' ? prompt.text : prompt.ids.join(', '),
        text: '',
        status: needsApproval ? { kind: 'awaiting-approval' } : { kind: 'queued', place: 1 },
        promptTokens: 0,
        newTokens: 0,
        ttftMs: null,
        msPerToken: null,
        predictedMsPerToken: 0,
      });
      const done = new Promise<AnswerResult>((resolve, reject) => {
        const askedMs = performance.now();
        const entry = { id, asker, request, askedMs, stopping, onAnswer, resolve, reject };
        stopping.signal.addEventListener('abort', () => {
          if (inFlight.has(entry)) return;
          undecided.delete(entry);
          line.remove(entry);
          show(entry, { status: { kind: 'done', because: 'stopped' } });
          resolve(resultOf(nothingMade, [], views[id]));
          startWaiting();
        });
        entries.set(id, entry);
        if (needsApproval) undecided.add(entry);
        else line.add(entry);
        show(entry, {});
      });
      const forget = (): boolean => entries.delete(id);
      done.then(forget, forget);
      startWaiting();
      return { id, done, stop: () => stopping.abort() };
    },
    decide(answerId, isAllowed) {
      const entry = entries.get(answerId);
      if (!entry || !undecided.delete(entry)) return;
      if (isAllowed) line.add(entry);
      else fail(entry, new Error('The host did not allow this question.'));
      startWaiting();
    },
    stop(answerId) {
      entries.get(answerId)?.stopping.abort();
    },
    capacityChanged: startWaiting,
    stopAll(asker, reason) {
      for (const entry of [...entries.values()])
        if (asker === null || entry.asker === asker) entry.stopping.abort(new Error(reason));
    },
  };
}

const nothingMade: Generation = {
  ids: [],
  topLogits: [],
  cachedTokens: 0,
  laps: [],
  predictedMsPerToken: 0,
  because: 'stopped',
};

function checkPrompt(ids: readonly number[], contextLength: number, vocabularySize: number): void {
  if (ids.length === 0) throw new Error('The prompt is empty: write a few words first.');
  if (ids.length >= contextLength)
    throw new Error(
      `The prompt is ${ids.length} tokens long, and this model reads at most ${contextLength - 1}: shorten it.`,
    );
  const stranger = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (stranger !== undefined)
    throw new Error(
      `Token id ${stranger} is not in this model's vocabulary of ${vocabularySize}: give ids from 0 to ${vocabularySize - 1}.`,
    );
}

function resultOf(made: Generation, promptIds: number[], view: AnswerView): AnswerResult {
  const { text, ttftMs, msPerToken } = view;
  return { ...made, promptIds, text, ttftMs: ttftMs ?? 0, msPerToken: msPerToken ?? 0 };
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
