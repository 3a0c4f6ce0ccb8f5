/** This screen's own questions: sent to the host, their answers shown as they come. */
import type { DeviceMessage, HostMessage } from '../protocol.ts';
import type { Answer, AnswerResult, AskRequest } from '../room.ts';
import type { AnswerView } from '../view.ts';

export interface OwnQuestions {
  ask(request: AskRequest): Answer;
  stop(id: number): void;
  onAnswer(update: Extract<HostMessage, { kind: 'answer' }>): void;
  /** The room is gone: nothing more will come. */
  end(reason: string): void;
}

interface Open {
  resolve: (result: AnswerResult) => void;
  reject: (error: Error) => void;
}

export function createOwnQuestions(
  deviceId: string,
  send: (message: DeviceMessage) => void,
  onView: (answers: AnswerView[]) => void,
): OwnQuestions {
  const views: AnswerView[] = [];
  const open = new Map<number, Open>();

  function settle(id: number): void {
    const waiting = open.get(id);
    const view = views[id];
    if (!waiting) return;
    if (view.status.kind === 'failed') waiting.reject(new Error(view.status.reason));
    else if (view.status.kind === 'done') waiting.resolve(resultOf(view, view.status.because));
    else return;
    open.delete(id);
  }

  function stop(id: number): void {
    if (open.has(id)) send({ kind: 'stop', request: id });
  }

  return {
    ask({ prompt, maxNewTokens, sampling }) {
      if (prompt.kind !== 'text')
        throw new Error('Ask with a text: only the host can give token ids.');
      const id = views.length;
      send({ kind: 'ask', request: id, text: prompt.text, maxNewTokens, sampling });
      views.push({
        id,
        asker: deviceId,
        prompt: prompt.text,
        text: '',
        status: { kind: 'queued', place: 1 },
        promptTokens: 0,
        newTokens: 0,
        ttftMs: null,
        msPerToken: null,
        predictedMsPerToken: 0,
      });
      onView([...views]);
      const done = new Promise<AnswerResult>((resolve, reject) => {
        open.set(id, { resolve, reject });
      });
      return { id, done, stop: () => stop(id) };
    },
    stop,
    onAnswer({ request, added, status, ...figures }) {
      const view = views.at(request);
      if (!view) throw new Error(`an answer came to question ${request}, which was never asked`);
      const { promptTokens, newTokens, ttftMs, msPerToken, predictedMsPerToken } = figures;
      views[request] = {
        ...view,
        text: view.text + added,
        status,
        promptTokens,
        newTokens,
        ttftMs,
        msPerToken,
        predictedMsPerToken,
      };
      onView([...views]);
      settle(request);
    },
    end(reason) {
      for (const id of open.keys()) {
        views[id] = { ...views[id], status: { kind: 'failed', reason } };
        settle(id);
      }
      onView([...views]);
    },
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
