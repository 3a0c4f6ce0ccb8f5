/** Writes one answer, from its prompt to its last token, and tells at every lap how it is getting on. */
import type { Tokenizer } from '../../../model/text/tokenizer.ts';
import type { AnswerResult, AskRequest } from '../../room.ts';
import type { AnswerView } from '../../view.ts';
import { generate, type GenerationListener, type GenerationOptions } from './generation.ts';
import type { LapRunner } from './lap-runner.ts';
import type { Turns } from './pipeline-turns.ts';
import { median } from '../../../base/median.ts';
import { createLapWatch } from '../../timing/index.ts';
import type { Planning } from '../planning/index.ts';

export interface WritingOptions extends Pick<
  GenerationOptions,
  | 'contextLength'
  | 'vocabularySize'
  | 'stopIds'
  | 'prefillChunk'
  | 'speculation'
  | 'caches'
  | 'inFlight'
  | 'giveBack'
  | 'betweenLaps'
> {
  planning: Planning;
  laps: LapRunner;
  turns: Turns;
  /** Null for a model without a tokenizer: it takes and gives token ids only. */
  tokenizer: Tokenizer | null;
  /** Token ids of what the model is to read for this text. */
  encodePrompt: (
    text: string,
    switches: AskRequest['switches'],
  ) => Promise<readonly number[]> | readonly number[];
  /** Ids that are no part of an answer's text; without them those that end it. */
  hiddenIds?: ReadonlySet<number>;
}

export interface Writing {
  request: AskRequest;
  askedMs: number;
  /** Tokens so far: those of before a reload, and those that are written now. */
  ids: number[];
  signal: AbortSignal;
  show: (change: Partial<AnswerView>) => void;
}

/** Rejects with a sentence for a prompt that cannot be read, or a host that cannot compute. */
export async function writeAnswer(
  options: WritingOptions,
  { request, askedMs, ids, signal, show }: Writing,
): Promise<AnswerResult> {
  const { stopIds, contextLength, tokenizer } = options;
  const { prompt } = request;
  const { hiddenIds = stopIds } = options;
  const promptIds =
    prompt.kind === 'text'
      ? [...(await options.encodePrompt(prompt.text, request.switches))]
      : prompt.ids;
  checkPrompt(promptIds, contextLength, options.vocabularySize);
  show({ promptTokens: promptIds.length });
  const writer = tokenizer?.streamDecoder(promptIds);
  let text = '';
  const figures: Pick<AnswerView, 'ttftMs' | 'msPerToken' | 'lap'> = {
    ttftMs: null,
    msPerToken: null,
    lap: null,
  };
  const watchLap = createLapWatch();
  let lastTokenMs = 0;
  /** One a lap. */
  const tokenMs: number[] = [];
  const write = (fresh: readonly number[]): void => {
    for (const id of fresh) if (!hiddenIds.has(id)) text += writer?.push(id) ?? '';
  };
  write(ids);

  const listener: GenerationListener = {
    onReading: (tokensRead, predictedMsPerToken) =>
      show({ status: { kind: 'reading', tokensRead }, predictedMsPerToken }),
    onPaused: (reason) => show({ status: { kind: 'paused', reason } }),
    onLap(planVersion, timing) {
      figures.lap = watchLap(planVersion, timing) ?? figures.lap;
    },
    onTokens(fresh) {
      const nowMs = performance.now();
      if (figures.ttftMs === null) figures.ttftMs = nowMs - askedMs;
      else tokenMs.push((nowMs - lastTokenMs) / fresh.length);
      lastTokenMs = nowMs;
      ids.push(...fresh);
      write(fresh);
      figures.msPerToken = median(tokenMs);
      show({ status: { kind: 'writing' }, text, newTokens: ids.length, ...figures });
    },
  };
  const made = await generate(options.planning, options.laps, {
    promptIds,
    startIds: [...ids],
    sampling: request.sampling,
    maxNewTokens: request.maxNewTokens,
    contextLength,
    vocabularySize: options.vocabularySize,
    stopIds,
    topLogits: request.topLogits,
    prefillChunk: (running) => request.prefillChunk ?? options.prefillChunk(running),
    speculation: (running) => (request.speculation === false ? null : options.speculation(running)),
    caches: options.caches,
    inFlight: options.inFlight,
    turns: options.turns,
    betweenLaps: options.betweenLaps,
    giveBack: options.giveBack,
    listener,
    signal,
  });
  text += writer?.end() ?? '';
  show({ text, status: { kind: 'done', because: made.because } });
  const { ttftMs, msPerToken } = figures;
  return { ...made, promptIds, text, ttftMs: ttftMs ?? 0, msPerToken: msPerToken ?? 0 };
}

/** What there is of an answer that was stopped before its turn came. */
export const nothingWritten: AnswerResult = {
  promptIds: [],
  ids: [],
  text: '',
  topLogits: [],
  cachedTokens: 0,
  laps: [],
  ttftMs: 0,
  msPerToken: 0,
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
