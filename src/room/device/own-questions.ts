import type { Answer, AnswerResult, AskRequest } from '../room.ts';
import type { AnswerView } from '../view.ts';
import type { DeviceMessage, HostMessage } from '../protocol/index.ts';

type Question = Extract<DeviceMessage, { kind: 'ask' }>;

export interface OwnQuestions {
  /** Throws a sentence when there is no host to ask. */
  ask(request: AskRequest): Answer;
  stop(id: number): void;
  onAnswer(update: Extract<HostMessage, { kind: 'answer' }>): void;
  /** The host can be asked: what is open is asked (again). */
  reach(send: (message: DeviceMessage) => void, deviceId: string): void;
  /** The host cannot be asked for now. */
  lose(): void;
  /** The room is gone: nothing more will come. */
  end(reason: string): void;
}

interface Open {
  question: Question;
  /** Of the answer's text, as far as the present asking has brought it. */
  heardLength: number;
  resolve: (result: AnswerResult) => void;
  reject: (error: Error) => void;
}

export function createOwnQuestions(onView: (answers: AnswerView[]) => void): OwnQuestions {
  const views: AnswerView[] = [];
  const open = new Map<number, Open>();
  let send: ((message: DeviceMessage) => void) | null = null;
  let asker = '';

  function show(id: number, change: Partial<AnswerView>): void {
    views[id] = { ...views[id], ...change };
    onView([...views]);
  }

  function settle(id: number): void {
    const waiting = open.get(id);
    const { status } = views[id];
    if (!waiting) return;
    if (status.kind === 'failed') waiting.reject(new Error(status.reason));
    else if (status.kind === 'done') waiting.resolve(resultOf(views[id], status.because));
    else return;
    open.delete(id);
  }

  function stop(id: number): void {
    if (open.has(id)) send?.({ kind: 'stop', request: id });
  }

  return {
    ask({ prompt, maxNewTokens, sampling, switches }) {
      if (prompt.kind !== 'text')
        throw new Error('Ask with a text: only the host can give token ids.');
      if (!send) throw new Error('This device is not in the room yet: ask again in a moment.');
      const id = views.length;
      const seed = sampling.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
      const question: Question = {
        kind: 'ask',
        request: id,
        text: prompt.text,
        maxNewTokens,
        sampling: { ...sampling, seed },
        ...(switches && {
          switches: Object.entries(switches).map(([name, isOn]) => ({ name, isOn })),
        }),
      };
      views.push(newView(id, asker, prompt.text));
      const done = new Promise<AnswerResult>((resolve, reject) => {
        open.set(id, { question, heardLength: 0, resolve, reject });
      });
      onView([...views]);
      send(question);
      return { id, done, stop: () => stop(id) };
    },
    stop,
    onAnswer({ request, added, status, ...figures }) {
      const view = views.at(request);
      if (!view) throw new Error(`an answer came to question ${request}, which was never asked`);
      const waiting = open.get(request);
      if (!waiting) return;
      // Asked again, the answer begins anew; what is on the screen already is not shown twice.
      const start = waiting.heardLength;
      waiting.heardLength += added.length;
      const text = view.text + added.slice(Math.max(0, view.text.length - start));
      const { promptTokens, newTokens, ttftMs, msPerToken, predictedMsPerToken } = figures;
      const shown = { promptTokens, newTokens, ttftMs, msPerToken, predictedMsPerToken };
      show(request, { text, status, ...shown });
      settle(request);
    },
    reach(sendNow, deviceId) {
      send = sendNow;
      asker = deviceId;
      for (const waiting of open.values()) {
        waiting.heardLength = 0;
        sendNow(waiting.question);
      }
    },
    lose() {
      send = null;
      for (const id of open.keys())
        show(id, { status: { kind: 'paused', reason: 'the room is out of reach' } });
    },
    end(reason) {
      for (const id of [...open.keys()]) {
        show(id, { status: { kind: 'failed', reason } });
        settle(id);
      }
    },
  };
}

function newView(id: number, asker: string, prompt: string): AnswerView {
  return {
    id,
    asker,
    prompt,
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

/** What the host keeps to itself (token ids, logits, laps) is empty here. */
function resultOf(view: AnswerView, because: AnswerResult['because']): AnswerResult {
  return {
    promptIds: [],
    ids: [],
    cachedTokens: 0,
    text: view.text,
    topLogits: [],
    ttftMs: view.ttftMs ?? 0,
    msPerToken: view.msPerToken ?? 0,
    predictedMsPerToken: view.predictedMsPerToken,
    because,
    laps: [],
  };
}
