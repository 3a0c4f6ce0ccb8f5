import { reasons } from './people.ts';
import { tokens } from './story.ts';
import {
  type Answer,
  type AnswerResult,
  type AnswerView,
  type AskRequest,
  createViewStore,
  type HostRoom,
  type RoomView,
} from '../../room/index.ts';

export function scriptedRoom(view: RoomView, msPerToken: number): HostRoom {
  const store = createViewStore(view);
  let lastId = 0;
  const running = new Map<number, Answer>();

  function change(id: number, update: Partial<AnswerView>): void {
    store.update({
      answers: store.view.answers.map((shown) =>
        shown.id === id ? { ...shown, ...update } : shown,
      ),
    });
  }

  function ask({ prompt }: AskRequest): Answer {
    const id = ++lastId;
    const shown: AnswerView = {
      id,
      asker: 'host',
      prompt: prompt.kind === 'text' ? prompt.text : prompt.ids.join(' '),
      text: '',
      status: { kind: 'reading', tokensRead: 0 },
      promptTokens: 5,
      newTokens: 0,
      ttftMs: null,
      msPerToken: null,
      lap: null,
      predictedMsPerToken: view.plan?.predictedMsPerToken ?? msPerToken,
    };
    store.update({ answers: [...store.view.answers, shown] });
    let written = 0;
    let finish: (because: AnswerResult['because']) => void;
    const done = new Promise<AnswerResult>((resolve) => {
      const timer = setInterval(write, msPerToken);
      finish = (because) => {
        clearInterval(timer);
        change(id, { status: { kind: 'done', because } });
        resolve(resultOf(because));
      };
      function write(): void {
        if (written === tokens.length) {
          finish('end');
          return;
        }
        written++;
        change(id, {
          status: { kind: 'writing' },
          text: tokens.slice(0, written).join(''),
          newTokens: written,
          ttftMs: msPerToken,
          msPerToken: written > 1 ? msPerToken : null,
        });
      }
    });
    const resultOf = (because: AnswerResult['because']): AnswerResult => ({
      promptIds: [],
      ids: [],
      cachedTokens: 0,
      text: tokens.slice(0, written).join(''),
      topLogits: [],
      ttftMs: msPerToken,
      msPerToken,
      predictedMsPerToken: shown.predictedMsPerToken,
      because,
      laps: [],
    });
    const answer = { id, done, stop: () => finish('stopped') };
    running.set(id, answer);
    return answer;
  }

  return {
    get view() {
      return store.view;
    },
    subscribe: (listener) => store.subscribe(listener),
    onIdle: (listener) => store.onIdle(listener),
    setMemoryBudget(budgetBytes) {
      store.update({
        devices: store.view.devices.map((shown) =>
          shown.isThisDevice ? { ...shown, memory: { ...shown.memory, budgetBytes } } : shown,
        ),
      });
    },
    close() {
      store.update({ phase: { kind: 'closed', reason: 'You closed the room.' } });
    },
    ask,
    emulate(deviceId, emulation) {
      store.update({
        devices: store.view.devices.map((device) =>
          device.id === deviceId ? { ...device, emulation } : device,
        ),
      });
      return Promise.resolve();
    },
    setAsking: (asking) => store.update({ asking }),
    setDoor: (mode) => store.update({ door: { mode, knocks: store.view.door?.knocks ?? [] } }),
    answerKnock(knockId) {
      const { door } = store.view;
      if (door)
        store.update({ door: { ...door, knocks: door.knocks.filter(({ id }) => id !== knockId) } });
    },
    remove: (deviceId) =>
      store.update({ devices: store.view.devices.filter(({ id }) => id !== deviceId) }),
    decide: (id, isAllowed) =>
      change(id, {
        status: isAllowed
          ? { kind: 'queued', place: 1 }
          : { kind: 'failed', reason: 'The host did not allow this question.' },
      }),
    stop: (id) => running.get(id)?.stop(),
    explainPlan: () => Promise.resolve(reasons),
    settled: () => Promise.resolve(),
  };
}
