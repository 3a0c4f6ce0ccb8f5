/** Questions that visitors ask from their own screens, within what the host allows. */
import type { DeviceMessage, HostMessage } from '../protocol.ts';
import type { Answer } from '../room.ts';
import type { AnswerView, AskingMode } from '../view.ts';
import type { Answers } from './answers.ts';

export interface Visitors {
  ask(deviceId: string, question: Extract<DeviceMessage, { kind: 'ask' }>): void;
  stop(deviceId: string, request: number): void;
  left(deviceId: string): void;
}

export interface VisitorsOptions {
  answers: Pick<Answers, 'ask' | 'stopAll'>;
  mode: () => AskingMode;
  tell: (deviceId: string, message: HostMessage) => void;
}

/** One person's questions that are not answered yet; more would be somebody leaning on a key. */
const maxOpenQuestions = 4;

export function createVisitors(options: VisitorsOptions): Visitors {
  const open = new Map<string, Map<number, Answer>>();

  function refuse(deviceId: string, request: number, reason: string): void {
    options.tell(deviceId, {
      kind: 'answer',
      request,
      added: '',
      status: { kind: 'failed', reason },
      promptTokens: 0,
      newTokens: 0,
      ttftMs: null,
      msPerToken: null,
      predictedMsPerToken: 0,
    });
  }

  /** Why this question cannot be taken now, in a sentence; null if it can. */
  function objection(questions: ReadonlyMap<number, Answer>, request: number): string | null {
    if (options.mode() === 'off') return 'The host answers only its own questions at the moment.';
    if (questions.has(request) || questions.size >= maxOpenQuestions)
      return 'Let your other questions be answered first.';
    return null;
  }

  return {
    ask(deviceId, { request, text, maxNewTokens, sampling }) {
      const questions = open.get(deviceId) ?? new Map<number, Answer>();
      open.set(deviceId, questions);
      const reason = objection(questions, request);
      if (reason !== null) {
        refuse(deviceId, request, reason);
        return;
      }
      let shownLength = 0;
      const onAnswer = (view: AnswerView): void => {
        const { status, promptTokens, newTokens, ttftMs, msPerToken, predictedMsPerToken } = view;
        const added = view.text.slice(shownLength);
        shownLength = view.text.length;
        const figures = { promptTokens, newTokens, ttftMs, msPerToken, predictedMsPerToken };
        options.tell(deviceId, { kind: 'answer', request, added, status, ...figures });
      };
      const answer = options.answers.ask(
        { prompt: { kind: 'text', text }, sampling, maxNewTokens, topLogits: 0 },
        { id: deviceId, needsApproval: options.mode() === 'approve', onAnswer },
      );
      questions.set(request, answer);
      const forget = (): boolean => questions.delete(request);
      answer.done.then(forget, forget);
    },
    stop: (deviceId, request) => open.get(deviceId)?.get(request)?.stop(),
    left(deviceId) {
      options.answers.stopAll(deviceId, 'The one who asked left.');
      open.delete(deviceId);
    },
  };
}
