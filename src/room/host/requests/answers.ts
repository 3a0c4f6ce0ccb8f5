/** Questions and their answers: several in flight together, the rest waiting in a fair line. */
import { asError } from '../../../base/error-message.ts';
import type { Answer, AnswerResult, AskRequest } from '../../room.ts';
import type { AnswerView } from '../../view.ts';
import { createWaitingLine } from './waiting-line.ts';
import type { AskedRecord } from '../record/index.ts';
import { nothingWritten, writeAnswer, type WritingOptions } from '../decoding/index.ts';

export interface AnswersOptions extends WritingOptions {
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
  /** The conversation, for `restore` after a reload. */
  record(): AskedRecord[];
  /** Takes a conversation up again: what the host had asked and was not finished goes on. */
  restore(asked: readonly AskedRecord[]): void;
}

interface Entry {
  id: number;
  asker: string;
  request: AskRequest;
  askedMs: number;
  ids: number[];
  stopping: AbortController;
  onAnswer: (answer: AnswerView) => void;
  resolve: (result: AnswerResult) => void;
  reject: (error: Error) => void;
}

export function createAnswers(options: AnswersOptions): Answers {
  const views: AnswerView[] = [];
  const asked: Pick<Entry, 'request' | 'ids'>[] = [];
  const line = createWaitingLine<Entry>();
  const inFlight = new Set<Entry>();
  /** Questions that await the host's decision. */
  const undecided = new Set<Entry>();
  const open = new Map<number, Entry>();

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
    const { request, askedMs, ids, stopping } = entry;
    try {
      const { signal } = stopping;
      const showChange = (change: Partial<AnswerView>): void => show(entry, change);
      entry.resolve(
        await writeAnswer(options, { request, askedMs, ids, signal, show: showChange }),
      );
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
    const failure = asError(error);
    show(entry, { status: { kind: 'failed', reason: failure.message } });
    entry.reject(failure);
  }

  /** Adds a question, and leaves it to the caller when it is to be answered. */
  function enter(request: AskRequest, asker: Asker, before: Partial<AnswerView>): [Entry, Answer] {
    const id = views.length;
    const stopping = new AbortController();
    let resolve: Entry['resolve'] = () => undefined;
    let reject: Entry['reject'] = () => undefined;
    const done = new Promise<AnswerResult>((...settle) => ([resolve, reject] = settle));
    const { onAnswer } = asker;
    const askedMs = performance.now();
    const ids: number[] = [];
    const entry = {
      id,
      asker: asker.id,
      request,
      askedMs,
      ids,
      stopping,
      onAnswer,
      resolve,
      reject,
    };
    views.push({ ...newView(id, asker.id, request), ...before });
    asked.push(entry);
    open.set(id, entry);
    const forget = (): boolean => open.delete(id);
    done.then(forget, forget);
    stopping.signal.addEventListener('abort', () => {
      if (inFlight.has(entry)) return;
      undecided.delete(entry);
      line.remove(entry);
      show(entry, { status: { kind: 'done', because: 'stopped' } });
      resolve(nothingWritten);
      startWaiting();
    });
    return [entry, { id, done, stop: () => stopping.abort() }];
  }

  return {
    ask(request, asker) {
      const [entry, answer] = enter(seeded(request), asker, {});
      if (asker.needsApproval) {
        undecided.add(entry);
        show(entry, { status: { kind: 'awaiting-approval' } });
      } else {
        line.add(entry);
        startWaiting();
      }
      return answer;
    },
    decide(answerId, isAllowed) {
      const entry = open.get(answerId);
      if (!entry || !undecided.delete(entry)) return;
      if (isAllowed) line.add(entry);
      else fail(entry, new Error('The host did not allow this question.'));
      startWaiting();
    },
    stop(answerId) {
      open.get(answerId)?.stopping.abort();
    },
    capacityChanged: startWaiting,
    stopAll(asker, reason) {
      for (const entry of [...open.values()])
        if (asker === null || entry.asker === asker) entry.stopping.abort(new Error(reason));
    },
    record: () =>
      views.map(({ asker, text, status }, id) => {
        const { request, ids } = asked[id];
        return { request, ids, asker, text, status };
      }),
    restore(records) {
      for (const { request, asker, ids, text, status } of records) {
        const isOver = status.kind === 'done' || status.kind === 'failed';
        // Devices that had asked ask again when they are back.
        if (!isOver && asker !== 'host') continue;
        const view = { text, status, newTokens: ids.length };
        const by = { id: asker, needsApproval: false, onAnswer: () => undefined };
        const [entry, { done }] = enter(request, by, view);
        entry.ids.push(...ids);
        if (isOver) open.delete(entry.id);
        else line.add(entry);
        // Whoever asked went with the page; how it ends is on the screen.
        done.catch(() => undefined);
      }
      options.onView([...views]);
      startWaiting();
    },
  };
}

/** With a seed of its own an answer can be taken up again where it was broken off. */
function seeded(request: AskRequest): AskRequest {
  const seed = request.sampling.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  return { ...request, sampling: { ...request.sampling, seed } };
}

function newView(id: number, asker: string, { prompt }: AskRequest): AnswerView {
  return {
    id,
    asker,
    prompt: prompt.kind === 'text' ? prompt.text : prompt.ids.join(', '),
    text: '',
    status: { kind: 'queued', place: 1 },
    promptTokens: 0,
    newTokens: 0,
    ttftMs: null,
    msPerToken: null,
    predictedMsPerToken: 0,
    lap: null,
  };
}
