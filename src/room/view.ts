/**
 * What a screen shows of a room: plain data, a new object at every change, the same shape for the host
 * and for a device. The face reads this and calls the few functions of `room.ts`; it knows nothing else.
 */
import type { Backend, WeightType } from '../engine/engine.ts';
import type { LinkEmulation } from '../transport/index.ts';

export type DeviceStatus =
  | { kind: 'connecting' }
  /** The ONNX Runtime binary is on its way to this device. */
  | { kind: 'preparing'; bytesLoaded: number; bytesTotal: number }
  | { kind: 'measuring'; fraction: number }
  /** Measured, and the plan does without it, for now: it keeps layers ready in case another device leaves. */
  | { kind: 'standby'; ready: LayerRange[] }
  | { kind: 'loading'; bytesLoaded: number; bytesTotal: number }
  | { kind: 'ready' }
  | { kind: 'computing' }
  /** Its connection broke, and is being made anew. */
  | { kind: 'reconnecting' }
  /** It does not answer, and the room does without it. */
  | { kind: 'away' }
  | { kind: 'failed'; reason: string };

/** Inclusive, numbered as in the manifest: 0 is the embedding, the last layer is the head. */
export interface LayerRange {
  first: number;
  last: number;
}

/** What one stage makes of a token's trip. Durations only. */
export interface StageTiming {
  stage: number;
  /** From arriving to being taken up, computing, and half the round trip of the link that brought it. */
  queueMs: number;
  computeMs: number;
  wireMs: number;
}

/** Where the time of a token's lap goes: means over the last laps. */
export interface LapView {
  /** Of the plan that it went round. */
  planVersion: number;
  lapMs: number;
  stages: StageTiming[];
}

export interface DeviceView {
  /** `host`, or a short letter in order of joining: `a`, `b`, … */
  id: string;
  /** What a person would call it: "Chrome on Android". Chosen by that device: never markup. */
  label: string;
  isThisDevice: boolean;
  status: DeviceStatus;
  layers: LayerRange[];
  compute: {
    backend: Backend;
    adapter: string;
    weights: WeightType;
    blockMs: number;
    headMs: number;
  } | null;
  memory: { budgetBytes: number; usedBytes: number };
  /** Bytes of weights this device fetched from outside its own cache. */
  bytesLoaded: number;
  /** Between the host and this device; null for the host, or before it was measured. */
  link: {
    latencyMs: number;
    mbps: number;
    /** By way of the server, since the network keeps the two apart. */
    relayed: boolean;
  } | null;
  /** How its links are slowed down, for an experiment; null for links as they are. */
  emulation: LinkEmulation | null;
  /** What its own stages take of a token, on its own screen, renewed about once a second; empty elsewhere. */
  stages: StageTiming[];
  /** Its page is out of sight, and its browser may slow it down. */
  isHidden: boolean;
}

export interface PlanView {
  planVersion: number;
  /** In lap order; a device may recur. */
  stages: (LayerRange & { device: string })[];
  predictedMsPerToken: number;
  /** One or two sentences for a visitor: which plan runs, and why. */
  why: string;
  status: 'loading' | 'running';
}

/** What else could have been planned, and what holds this plan back. Devices by id, links as `from → to`. */
export interface PlanReasons {
  /** Such as `solo` or `without a`; null ms where it is impossible. */
  alternatives: { name: string; ms: number | null; why: string }[];
  /** What doubling a device's memory or speed, or a link's quality, would save, most first. */
  limits: { kind: 'memory' | 'speed' | 'link'; where: string; gainMs: number }[];
  /** What one more device like this one would save. */
  oneMore: { device: string; gainMs: number }[];
}

/** Whether visitors may ask from their own screens: never, once the host has agreed to the question, or freely. */
export type AskingMode = 'off' | 'approve' | 'open';

export type AnswerStatus =
  /** A visitor's question, for the host to allow. */
  | { kind: 'awaiting-approval' }
  /** The room is full; `place` 1 is next. */
  | { kind: 'queued'; place: number }
  | { kind: 'reading'; tokensRead: number }
  | { kind: 'writing' }
  /** What it ran on is lost, or there is no plan: the answer goes on when its layers are held again. */
  | { kind: 'paused'; reason: string }
  | { kind: 'done'; because: 'end' | 'length' | 'stopped' }
  | { kind: 'failed'; reason: string };

export interface AnswerView {
  id: number;
  /** The device whose person asked. */
  asker: string;
  prompt: string;
  /** The text so far; only ever grows. Model output: never markup. */
  text: string;
  status: AnswerStatus;
  promptTokens: number;
  newTokens: number;
  /** Time to first token, and median ms per token after it; null until known. */
  ttftMs: number | null;
  msPerToken: number | null;
  predictedMsPerToken: number;
  /** Renewed about once a second; null until known, and on a visitor's screen. */
  lap: LapView | null;
}

/** Who may join: everybody with the link, whom the host lets in, or nobody new. */
export type DoorMode = 'open' | 'approve' | 'locked';

export interface DoorView {
  mode: DoorMode;
  /** Devices that wait to be let in. */
  knocks: {
    id: number;
    /** Chosen by that device: never markup. */
    label: string;
    /** Both screens show it. */
    code: string;
  }[];
}

export type RoomPhase =
  | { kind: 'starting'; step: string }
  /** This device waits for the host to let it in; both screens show the code. */
  | { kind: 'knocking'; code: string }
  | { kind: 'open' }
  /** A sentence that says what happened and what to do; `problem` where the host's model did not open. */
  | { kind: 'closed'; reason: string; problem?: ModelProblem };

/** A model that does not open. */
export interface ModelProblem {
  /** A sentence that says what to take in its place. */
  instead: string;
  /** What a person may paste in public to report it: no token, no private address, no path. */
  report: string;
}

export interface ModelView {
  name: string;
  title: string;
  licence: string;
  /** The embedding and the head included: two more than the model has blocks. */
  layers: number;
  contextLength: number;
  bytes: number;
  /** False for a base model, which continues a text rather than answers. */
  chat: boolean;
  /** Names of what the chat template leaves to whoever asks: whether the model thinks before it answers. */
  switches: readonly string[];
  /** What its authors suggest; what they are silent on is absent. */
  sampling: {
    temperature?: number;
    topK?: number;
    topP?: number;
    minP?: number;
    repetitionPenalty?: number;
  };
}

export interface WaitingFor {
  /**
   * `preparing`: it will pass. `devices`: somebody has to join. `memory`: the model does not fit these
   * devices. `failure`: this tab cannot compute, or cannot load its layers.
   */
  kind: 'preparing' | 'devices' | 'memory' | 'failure';
  /** Says what is missing and what to do. */
  sentence: string;
}

export interface RoomView {
  role: 'host' | 'device';
  phase: RoomPhase;
  /** The link others open to join; null on a device. */
  link: string | null;
  model: ModelView | null;
  devices: DeviceView[];
  plan: PlanView | null;
  /** Why the room cannot answer yet; null when it can. */
  waitingFor: WaitingFor | null;
  asking: AskingMode;
  /** Null on a device. */
  door: DoorView | null;
  /** Oldest first. On a device: its own only, since text stays with the host and whoever asked. */
  answers: AnswerView[];
  /** Short sentences about what just happened ("Chrome on Android left"), newest last. */
  notices: { id: number; text: string }[];
}
