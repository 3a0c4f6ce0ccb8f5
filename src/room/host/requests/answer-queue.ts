/** Writes as many answers at once as fit the devices' memory; the other questions wait in line for their turn. */
import { asError } from '../../../base/error-message.ts';
import type { AnswerView } from '../../view.ts';
import { writeAnswer, type WritingOptions } from '../decoding/index.ts';
import type { OpenQuestion } from './open-question.ts';
import { createWaitingLine } from './waiting-line.ts';

export interface AnswerQueueOptions extends WritingOptions {
  /** How many answers fit the devices' memory together; at least 1. */
  capacity: () => number;
  /** How many answers are in flight now. */
  onInFlight: (count: number) => void;
}

export interface AnswerQueue {
  /** Puts the question in line; `startWaiting` starts its answer when its turn comes. */
  add(question: OpenQuestion): void;
  /** Takes the question out of the line. */
  remove(question: OpenQuestion): void;
  isInFlight(question: OpenQuestion): boolean;
  /** Starts as many answers as fit, and shows the others their places. */
  startWaiting(): void;
}

export type Show = (question: OpenQuestion, change: Partial<AnswerView>) => void;

export function createAnswerQueue(options: AnswerQueueOptions, show: Show): AnswerQueue {
  const line = createWaitingLine<OpenQuestion>();
  const inFlight = new Set<OpenQuestion>();

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
      failQuestion(question, error, show);
    } finally {
      leaveTurns();
      inFlight.delete(question);
      options.onInFlight(inFlight.size);
      startWaiting();
    }
  }

  return {
    add: (question) => line.add(question),
    remove: (question) => line.remove(question),
    isInFlight: (question) => inFlight.has(question),
    startWaiting,
  };
}

export function failQuestion(question: OpenQuestion, error: unknown, show: Show): void {
  const failure = asError(error);
  show(question, { status: { kind: 'failed', reason: failure.message } });
  question.reject(failure);
}
