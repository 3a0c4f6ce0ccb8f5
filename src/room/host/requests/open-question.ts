/** A question whose answer is not over: who asked it, what is written so far, and what settles it. */
import type { AnswerResult, AskRequest } from '../../room.ts';
import type { AnswerView } from '../../view.ts';

export interface Asker {
  /** A device's id. */
  id: string;
  /** The host must agree before the question is answered. */
  needsApproval: boolean;
  /** Hears of every change of the answer. */
  onAnswer: (answer: AnswerView) => void;
}

export interface OpenQuestion {
  id: number;
  /** A device's id. */
  asker: string;
  onAnswer: (answer: AnswerView) => void;
  request: AskRequest;
  askedMs: number;
  /** Tokens written so far. */
  ids: number[];
  stopping: AbortController;
  done: Promise<AnswerResult>;
  resolve: (result: AnswerResult) => void;
  reject: (error: Error) => void;
}

export function openQuestion(
  id: number,
  request: AskRequest,
  { id: asker, onAnswer }: Omit<Asker, 'needsApproval'>,
  ids: number[],
): OpenQuestion {
  let resolve: OpenQuestion['resolve'] = () => undefined;
  let reject: OpenQuestion['reject'] = () => undefined;
  const done = new Promise<AnswerResult>((...settle) => ([resolve, reject] = settle));
  const askedMs = performance.now();
  const stopping = new AbortController();
  return { id, asker, onAnswer, request, askedMs, ids, stopping, done, resolve, reject };
}
