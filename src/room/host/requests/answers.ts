/** Questions and their answers, from the moment that somebody asks until the answer is over or stopped. */
import type { Answer, AskRequest } from '../../room.ts';
import type { AnswerView } from '../../view.ts';
import { nothingWritten } from '../decoding/index.ts';
import type { AskedRecord } from '../saved-room/index.ts';
import { type AnswerQueueOptions, createAnswerQueue, failQuestion } from './answer-queue.ts';
import { createConversation } from './conversation.ts';
import { openQuestion, type Asker, type OpenQuestion } from './open-question.ts';

export interface AnswersOptions extends AnswerQueueOptions {
  onView: (answers: AnswerView[]) => void;
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

export function createAnswers(options: AnswersOptions): Answers {
  const conversation = createConversation();
  const queue = createAnswerQueue(options, show);
  /** Questions that await the host's decision. */
  const undecided = new Set<OpenQuestion>();
  const open = new Map<number, OpenQuestion>();

  function show({ id, onAnswer }: OpenQuestion, change: Partial<AnswerView>): void {
    onAnswer(conversation.change(id, change));
    options.onView(conversation.views());
  }

  /** Adds a question, and leaves it to the caller when it is to be answered. */
  function add(
    request: AskRequest,
    asker: Omit<Asker, 'needsApproval'>,
    before?: { ids: readonly number[]; shown: Partial<AnswerView> },
  ): OpenQuestion {
    const ids = [...(before?.ids ?? [])];
    const id = conversation.add({ request, asker: asker.id }, ids, before?.shown);
    const question = openQuestion(id, request, asker, ids);
    open.set(id, question);
    const forget = (): boolean => open.delete(id);
    question.done.then(forget, forget);
    question.stopping.signal.addEventListener('abort', () => stopWaiting(question));
    return question;
  }

  /** An answer in flight ends by itself; one that waits is over now. */
  function stopWaiting(question: OpenQuestion): void {
    if (queue.isInFlight(question)) return;
    undecided.delete(question);
    queue.remove(question);
    show(question, { status: { kind: 'done', because: 'stopped' } });
    question.resolve(nothingWritten);
    queue.startWaiting();
  }

  function restore({ request, asker, ids, text, status }: AskedRecord): void {
    const isOver = status.kind === 'done' || status.kind === 'failed';
    // Devices that had asked ask again when they are back.
    if (!isOver && asker !== 'host') return;
    const shown = { text, status, newTokens: ids.length };
    const question = add(request, { id: asker, onAnswer: () => undefined }, { ids, shown });
    if (isOver) open.delete(question.id);
    else queue.add(question);
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
        queue.add(question);
        queue.startWaiting();
      }
      return { id, done, stop: () => stopping.abort() };
    },
    decide(answerId, isAllowed) {
      const question = open.get(answerId);
      if (!question || !undecided.delete(question)) return;
      if (isAllowed) queue.add(question);
      else failQuestion(question, new Error('The host did not allow this question.'), show);
      queue.startWaiting();
    },
    stop(answerId) {
      open.get(answerId)?.stopping.abort();
    },
    capacityChanged: () => queue.startWaiting(),
    stopAll(asker, reason) {
      for (const question of [...open.values()])
        if (asker === null || question.asker === asker) question.stopping.abort(new Error(reason));
    },
    record: () => conversation.record(),
    restore(records) {
      records.forEach(restore);
      options.onView(conversation.views());
      queue.startWaiting();
    },
  };
}

/** With a seed of its own an answer can be taken up again where it was broken off. */
function seeded(request: AskRequest): AskRequest {
  const seed = request.sampling.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
  return { ...request, sampling: { ...request.sampling, seed } };
}
