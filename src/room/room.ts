/** A room as the code around it sees it: what the face, the demo and the benchmarks call. */
import type { Backend, WeightType } from '../engine/engine.ts';
import type { LinkEmulation } from '../transport/index.ts';
import type {
  AskingMode,
  DoorMode,
  PlanReasons,
  RoomView,
  LayerRange,
  StageTiming,
} from './view.ts';

export type WireType = 'f16' | 'f32';

/** When an answer in flight may start its next token: at once, or together with all others; see `host/decoding/pipeline-turns.ts`. */
export type PipelineMode = 'no-bubbles' | 'bubbles';

/** How the next token is chosen from its logits, under the names that Hugging Face's `generate` gives these. */
export interface SamplingOptions {
  /** 0 is greedy: always the most likely token. */
  temperature: number;
  /** Keep only the k most likely tokens; 0 keeps all. */
  topK: number;
  /** Keep the smallest set whose probability reaches this; 1 keeps all. */
  topP: number;
  /** Keep tokens at least this fraction as likely as the most likely one; 0 keeps all. */
  minP: number;
  /** Divides the logits of tokens already present; 1 is off. */
  repetitionPenalty: number;
  /** The same seed gives the same text; null draws a fresh one. */
  seed: number | null;
}

export interface DeviceOptions {
  /** `auto`: WebGPU where a real adapter exists, else wasm. */
  backend: Backend | 'auto';
  /** Bytes of weights and KV cache this tab may hold; null for the platform's assumed budget. */
  memoryBudgetBytes: number | null;
  /** Threads of the wasm backend; null to choose by the device. */
  threads: number | null;
  /** Links go by way of the server's relay alone, as if the network kept this device apart. */
  relayOnly: boolean;
}

/** `auto` lets the planner choose; `even` deals blocks equally; else exact stages in lap order. */
export type PlanChoice = 'auto' | 'even' | (LayerRange & { device: string })[];

export type ModelChoice =
  /** Cut into shards; the address of the manifest, absolute or relative to the page. */
  | { kind: 'shards'; manifestUrl: string }
  /**
   * `owner/model`, `owner/model:Q4_K_M` or `owner/model/file.gguf` of a hub in Hugging Face's layout. An access
   * token stays on this device, which then passes the bytes on; null without one.
   */
  | {
      kind: 'hub';
      id: string;
      accessToken: string | null;
      revision?: string;
      hubUrl?: string;
    }
  /** A `.gguf` file, a folder in Hugging Face's layout, or a `manifest.json`, on any server with ranges. */
  | { kind: 'url'; url: string; accessToken?: string | null }
  /**
   * Picked or dropped by the person at this device: GGUF, or a Hugging Face folder. `paths` are those of the files
   * in the same order; without them the files' own.
   */
  | { kind: 'files'; files: readonly File[]; paths?: readonly string[] };

export interface HostOptions extends DeviceOptions {
  model: ModelChoice;
  /**
   * Where other devices reach this app, for the room link; null for the page's own address. A page at
   * `http://localhost` names its server's LAN address here.
   */
  linkBaseUrl: string | null;
  weights: WeightType | 'auto';
  wire: WireType;
  plan: PlanChoice;
  /** `bubbles` has answers in flight wait for each other at every token, for comparison. */
  pipeline: PipelineMode;
  /** Draft tokens from repetitions in the text and verify them in one lap, where that gains. */
  speculation: boolean;
  /** Whether visitors may ask. */
  asking: AskingMode;
  /** Who may join. */
  door: DoorMode;
  /** Most answers whose tokens share one pass over a stage's weights; 1 to compute one by one, for comparison. */
  maxBatch: number;
  /**
   * Longest conversation, in tokens, for which memory is kept; null for as long as the model allows, up to a
   * usual length.
   */
  contextLength: number | null;
  /** Most answers in flight together; null for as many as fit the devices' memory. */
  maxInFlight: number | null;
  /** Prompt tokens per frame; null for the size that devices measured to be right and fast. */
  prefillChunk: number | null;
  /** Devices that the plan does without keep layers ready in case another one leaves. */
  standby: boolean;
  /** Most devices that may join, the host included. */
  maxDevices: number;
  /** The first plan waits for this many devices, so that the host loads no layers it would soon give away. */
  expectedDevices: number;
}

export interface AskRequest {
  /** Text, or token ids taken as they are. */
  prompt: { kind: 'text'; text: string } | { kind: 'ids'; ids: number[] };
  sampling: SamplingOptions;
  /** What the model's chat template leaves to whoever asks, by name; see `ModelView.switches`. */
  switches?: Readonly<Record<string, boolean>>;
  maxNewTokens: number;
  /** How many [id, logit] pairs to keep for each new token, largest first; 0 for none. */
  topLogits: number;
  /** Prompt tokens per frame for this answer; without it, the room's. */
  prefillChunk?: number;
  /** False for an answer without drafts where the room has them. */
  speculation?: boolean;
}

export interface AnswerResult {
  promptIds: number[];
  ids: number[];
  /** Prompt tokens that earlier answers had left in the devices' caches. */
  cachedTokens: number;
  text: string;
  topLogits: [id: number, logit: number][][];
  ttftMs: number;
  msPerToken: number;
  predictedMsPerToken: number;
  because: 'end' | 'length' | 'stopped';
  /** One entry a lap, prefill first: where the time went. */
  laps: LapTiming[];
}

/** How long one trip round the stages took, and what each stage made of it. Durations only. */
export interface LapTiming {
  lapMs: number;
  hops: StageTiming[];
}

export interface Answer {
  readonly id: number;
  stop(): void;
  /** Rejects with a sentence fit for the screen. */
  readonly done: Promise<AnswerResult>;
}

export interface Room {
  readonly view: RoomView;
  /** Calls back with the current view at once and at every change; returns how to stop. */
  subscribe(listener: (view: RoomView) => void): () => void;
  /**
   * Calls back whenever this tab has done its part of a token and waits for its engine or for others: the
   * moment for a few milliseconds of work that would hold tokens up at any other. Returns how to stop.
   */
  onIdle(listener: () => void): () => void;
  /**
   * Asks the room. On a device the question goes to the host, within what it allows: see `view.asking`.
   * Throws a sentence when the room cannot take a question at all.
   */
  ask(request: AskRequest): Answer;
  /** Stops an answer of the view: as the host anyone's, else one's own. */
  stop(answerId: number): void;
  /** Changes this device's memory budget; the host plans anew. */
  setMemoryBudget(bytes: number): void;
  /** Leaves the room; as the host, ends it for everybody. */
  close(): void;
}

export interface HostRoom extends Room {
  setAsking(mode: AskingMode): void;
  setDoor(mode: DoorMode): void;
  /** Lets a device in that waits at the door, or turns it away. */
  answerKnock(knockId: number, isAllowed: boolean): void;
  /** Ends a device's part in this room, for good. */
  remove(deviceId: string): void;
  /**
   * Slows a device's links down as an experiment, and plans with them as they are then; null lifts it.
   * Resolves once they have been measured anew.
   */
  emulate(deviceId: string, emulation: LinkEmulation | null): Promise<void>;
  /** Allows a visitor's question, or refuses it. */
  decide(answerId: number, isAllowed: boolean): void;
  /** Why the plan that runs is as it is, by what is known now; null while none runs. */
  explainPlan(): Promise<PlanReasons | null>;
  /** Settles when no plan is being deployed and the room can answer. */
  settled(): Promise<void>;
}
