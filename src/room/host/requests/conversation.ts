/** The questions of a room and their answers as they are shown, in the order in which they were asked. */
import type { AskRequest } from '../../room.ts';
import type { AnswerView } from '../../view.ts';
import type { AskedRecord } from '../saved-room/index.ts';

export interface Conversation {
  /** Adds a question, and gives its answer's number. `ids` has its tokens, and the caller keeps it up to date. */
  add(question: Question, ids: number[], shown?: Partial<AnswerView>): number;
  /** The answer as it is shown after this change. */
  change(answerId: number, change: Partial<AnswerView>): AnswerView;
  views(): AnswerView[];
  /** For a record of the room. */
  record(): AskedRecord[];
}

interface Question {
  request: AskRequest;
  /** A device's id. */
  asker: string;
}

export function createConversation(): Conversation {
  const views: AnswerView[] = [];
  const asked: { request: AskRequest; ids: number[] }[] = [];

  return {
    add({ request, asker }, ids, shown = {}) {
      const id = views.length;
      views.push({ ...newView(id, asker, request), ...shown });
      asked.push({ request, ids });
      return id;
    },
    change: (answerId, change) => (views[answerId] = { ...views[answerId], ...change }),
    views: () => [...views],
    record: () =>
      views.map(({ asker, text, status }, id) => {
        const { request, ids } = asked[id];
        return { request, ids, asker, text, status };
      }),
  };
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
