/** How the room answers: each answer runs on the newest plan, in its turn, and as many run at once as fit. */
import type { ModelConfig } from '../../../model/config.ts';
import type { AskRequest, Answer, HostOptions } from '../../room.ts';
import type { AskingMode } from '../../view.ts';
import type { ViewStore } from '../../view-store.ts';
import { createAnswers, type Answers } from './answers.ts';
import type { TextCodec } from './text-codec.ts';
import { createVisitors, type Visitors } from './visitors.ts';
import {
  createBetweenLaps,
  createSpeculations,
  createTurns,
  type LapRunner,
} from '../decoding/index.ts';
import type { Caches } from '../kv-cache/index.ts';
import { batchesAreExact, type Plans, prefillChunkOf } from '../planning/index.ts';
import type { Roster } from '../membership/index.ts';

export interface AnsweringOptions {
  options: HostOptions;
  config: ModelConfig;
  contextLength: number;
  codec: TextCodec;
  store: ViewStore;
  roster: Roster;
  caches: Caches;
  plans: Plans;
  laps: LapRunner;
  /** Logits that nobody reads any more. */
  giveBack: (logits: Float32Array) => void;
  /** How many answers are in flight now. */
  onInFlight: (count: number) => void;
  /** The conversation has changed. */
  onRecord: () => void;
  /** Aborts when the room ends. */
  signal: AbortSignal;
}

export interface Answering {
  answers: Answers;
  visitors: Visitors;
  /** The host's own question. */
  ask(request: AskRequest): Answer;
  /** Whether devices may ask from their own screens. */
  setAsking(mode: AskingMode): void;
}

export function createAnswering(room: AnsweringOptions): Answering {
  const { options, config, contextLength, codec, store, roster, caches, plans, laps } = room;
  const { members } = roster;
  const speculationOn = createSpeculations();
  const answers = createAnswers({
    planning: plans.planning,
    laps,
    caches,
    inFlight: () => plans.load.now(),
    giveBack: (logits) => room.giveBack(logits),
    turns: createTurns(options.pipeline),
    betweenLaps: createBetweenLaps(),
    speculation: ({ lap }) =>
      options.speculation && batchesAreExact(members, lap) ? speculationOn(lap.planVersion) : null,
    tokenizer: codec.tokenizer,
    encodePrompt: (text, switches) => codec.encodePrompt(text, switches),
    stopIds: codec.stopIds,
    hiddenIds: codec.hiddenIds,
    contextLength,
    vocabularySize: config.vocab_size,
    prefillChunk: ({ lap }) => options.prefillChunk ?? prefillChunkOf(members, lap),
    capacity: () => plans.capacity(),
    onView(views) {
      store.update({ answers: views });
      room.onRecord();
    },
    onInFlight(count) {
      plans.load.set(count);
      room.onInFlight(count);
      roster.showComputing(count > 0);
    },
  });
  const visitors = createVisitors({
    answers,
    mode: () => store.view.asking,
    tell(deviceId, message) {
      // A page that goes may come back: whoever asked waits, and asks again.
      if (!room.signal.aborted) roster.tell(deviceId, message);
    },
  });

  return {
    answers,
    visitors,
    ask: (request) =>
      answers.ask(request, { id: 'host', needsApproval: false, onAnswer: () => undefined }),
    setAsking(mode) {
      store.update({ asking: mode });
      roster.tellAll({ kind: 'asking', mode });
    },
  };
}
