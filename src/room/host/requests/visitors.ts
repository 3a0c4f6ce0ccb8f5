/** Questions that visitors ask from their own screens, within what the host allows. */
import { createAllowance, type Allowance } from '../../../transport/index.ts';
import type { Answer } from '../../room.ts';
import type { AnswerView, AskingMode } from '../../view.ts';
import type { DeviceHandlers } from '../membership/index.ts';
import type { Answers } from './answers.ts';
import type { DeviceMessage, HostMessage } from '../../protocol/index.ts';

export interface Visitors {
  /** Throws a sentence for a device that asks faster than a person can. */
  ask(deviceId: string, question: Extract<DeviceMessage, { kind: 'ask' }>): void;
  stop(deviceId: string, request: number): void;
  left(deviceId: string): void;
  readonly handlers: DeviceHandlers<'ask' | 'stop'>;
}

export interface VisitorsOptions {
  answers: Pick<Answers, 'ask' | 'stopAll'>;
  mode: () => AskingMode;
  tell: (deviceId: string, message: HostMessage) => void;
}

/** Questions of one device that are not answered yet; nobody reads more answers at once. */
const maxOpenQuestions = 4;

/** Of one device: more at once than a person types, and then one a second. */
const askAllowance = { burst: 30, perSecond: 1 };
/** As often as a screen shows them. Four answers are then 80 messages a second, of the 200 that a link takes. */
const tellEveryMs = 50;

export function createVisitors(options: VisitorsOptions): Visitors {
  const open = new Map<string, Map<number, Answer>>();
  const allowances = new Map<string, Allowance>();

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

  const visitors: Visitors = {
    ask(deviceId, { request, text, maxNewTokens, sampling, switches: set = [] }) {
      const mayAsk = allowances.get(deviceId) ?? createAllowance(askAllowance);
      allowances.set(deviceId, mayAsk);
      if (!mayAsk.take(1))
        throw new Error('This device asked more questions than any person does.');
      const questions = open.get(deviceId) ?? new Map<number, Answer>();
      open.set(deviceId, questions);
      const reason = objection(questions, request);
      if (reason !== null) {
        refuse(deviceId, request, reason);
        return;
      }
      const onAnswer = batched((view, added) => {
        const { status, promptTokens, newTokens, ttftMs, msPerToken, predictedMsPerToken } = view;
        const figures = { promptTokens, newTokens, ttftMs, msPerToken, predictedMsPerToken };
        options.tell(deviceId, { kind: 'answer', request, added, status, ...figures });
      });
      const switches = Object.fromEntries(set.map(({ name, isOn }) => [name, isOn]));
      const answer = options.answers.ask(
        { prompt: { kind: 'text', text }, sampling, switches, maxNewTokens, topLogits: 0 },
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
      allowances.delete(deviceId);
    },
    handlers: {
      ask: ({ id }, question) => visitors.ask(id, question),
      stop: ({ id }, { request }) => visitors.stop(id, request),
    },
  };
  return visitors;
}

/** Tells an answer at once when its status changes, else several tokens together. */
function batched(tell: (view: AnswerView, added: string) => void): (view: AnswerView) => void {
  let latest: AnswerView | null = null;
  let toldLength = 0;
  let toldAtMs = -Infinity;
  let toldStatus = '';
  let timer: ReturnType<typeof setTimeout> | undefined;

  function tellNow(view: AnswerView): void {
    clearTimeout(timer);
    timer = undefined;
    latest = null;
    toldAtMs = performance.now();
    toldStatus = view.status.kind;
    const added = view.text.slice(toldLength);
    toldLength = view.text.length;
    tell(view, added);
  }

  return (view) => {
    const waitMs = toldAtMs + tellEveryMs - performance.now();
    if (waitMs <= 0 || view.status.kind !== toldStatus) {
      tellNow(view);
      return;
    }
    latest = view;
    timer ??= setTimeout(() => latest && tellNow(latest), waitMs);
  };
}
