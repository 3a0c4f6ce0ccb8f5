/** Questions and their answers: several in flight together, the rest waiting in a fair line. */
import { asError } from '../../../base/error-message.ts';
import type { Answer, AnswerResult, AskRequest } from '../../room.ts';
import type { AnswerView } from '../../view.ts';
import { nothingWritten, writeAnswer, type WritingOptions } from '../decoding/index.ts';
import type { AskedRecord } from '../record/index.ts';
import { createConversation } from './conversation.ts';
import { createWaitingLine } from './waiting-line.ts';

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

/** A question whose answer is not over. */
interface OpenQuestion {
  id: number;
  asker: string;
  request: AskRequest;
  askedMs: number;
  ids: number[];
  stopping: AbortController;
  onAnswer: (answer: AnswerView) => void;
  done: Promise<AnswerResult>;
  resolve: (result: AnswerResult) => void;
  reject: (error: Error) => void;
}

export function createAnswers(options: AnswersOptions): Answers {
  const conversation = createConversation();
  const line = createWaitingLine<OpenQuestion>();
  const inFlight = new Set<OpenQuestion>();
  /** Questions that await the host's decision. */
  const undecided = new Set<OpenQuestion>();
  const open = new Map<number, OpenQuestion>();

  function show({ id, onAnswer }: OpenQuestion, change: Partial<AnswerView>): void {
    onAnswer(conversation.change(id, change));
    options.onView(conversation.views());
  }

  function startWaiting(): void {
    while (inFlight.size < Math.max(1, options.capacity())) {
      const question = line.take();
      if (!question) break;
      inFlight.add(question);
      options.onInFlight(inFlight.size);
      void run(question);
    }
    line.order().forEach((question, index) => {
      show(question, { status: { kind: 'queued', place: index + 1 } });
    });
  }

  async function run(question: OpenQuestion): Promise<void> {
    const leaveTurns = options.turns.enter();
    const { request, askedMs, ids, stopping } = question;
    try {
      const { signal } = stopping;
      const showChange = (change: Partial<AnswerView>): void => show(question, change);
      question.resolve(
        await writeAnswer(options, { request, askedMs, ids, signal, show: showChange }),
      );
    } catch (error) {
      fail(question, error);
    } finally {
      leaveTurns();
      inFlight.delete(question);
      options.onInFlight(inFlight.size);
      startWaiting();
    }
  }

  function fail(question: OpenQuestion, error: unknown): void {
    const failure = asError(error);
    show(question, { status: { kind: 'failed', reason: failure.message } });
    question.reject(failure);
  }

  /** Adds a question, and leaves it to the caller when it is to be answered. */
  function add(
    request: AskRequest,
    { id: asker, onAnswer }: Pick<Asker, 'id' | 'onAnswer'>,
    before?: { ids: readonly number[]; shown: Partial<AnswerView> },
  ): OpenQuestion {
    const ids = [...(before?.ids ?? [])];
    const id = conversation.add({ request, asker }, ids, before?.shown);
    const askedMs = performance.now();
    const stopping = new AbortController();
    const settling = withResolvers<AnswerResult>();
    const question = { id, asker, request, askedMs, ids, stopping, onAnswer, ...settling };
    open.set(id, question);
    const forget = (): boolean => open.delete(id);
    question.done.then(forget, forget);
    stopping.signal.addEventListener('abort', () => stopWaiting(question));
    return question;
  }

  /** An answer in flight ends by itself; one that waits is over now. */
  function stopWaiting(question: OpenQuestion): void {
    if (inFlight.has(question)) return;
    undecided.delete(question);
    line.remove(question);
    show(question, { status: { kind: 'done', because: 'stopped' } });
    question.resolve(nothingWritten);
    startWaiting();
  }

  function restore({ request, asker, ids, text, status }: AskedRecord): void {
    const isOver = status.kind === 'done' || status.kind === 'failed';
    // Devices that had asked ask again when they are back.
    if (!isOver && asker !== 'host') return;
    const shown = { text, status, newTokens: ids.length };
    const question = add(request, { id: asker, onAnswer: () => undefined }, { ids, shown });
    if (isOver) open.delete(question.id);
    else line.add(question);
    // Whoever asked went with the page; how it ends is on the screen.
    question.done.catch(() => undefined);
  }

  return {
    ask(request, asker) {
      const question = add(seeded(request), asker);
      const { id, done, stopping } = question;
      if (asker.needsApproval) {
        undecided.add(question);
        show(question, { status: { kind: 'awaiting-approval' } });
      } else {
        line.add(question);
        startWaiting();
      }
      return { id, done, stop: () => stopping.abort() };
    },
    decide(answerId, isAllowed) {
      const question = open.get(answerId);
      if (!question || !undecided.delete(question)) return;
      if (isAllowed) line.add(question);
      else fail(question, new Error('The host did not allow this question.'));
      startWaiting();
    },
    stop(answerId) {
      open.get(answerId)?.stopping.abort();
    },
    capacityChanged: startWaiting,
    stopAll(asker, reason) {
      for (const question of [...open.values()])
        if (asker === null || question.asker === asker) question.stopping.abort(new Error(reason));
    },
    record: () => conversation.record(),
    restore(records) {
      records.forEach(restore);
      options.onView(conversation.views());
      startWaiting();
    },
  };
}

/** With a seed of its own an answer can be taken up again where it was broken off. */
function seeded(request: AskRequest): AskRequest {
  const seed = request.sampling.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  return { ...request, sampling: { ...request.sampling, seed } };
}

/** A promise with what settles it. */
function withResolvers<T>(): {
  done: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const done = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { done, resolve, reject };
}
