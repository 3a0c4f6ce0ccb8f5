/** What the stages of a device are given, and whom they tell what. */
import type { Engine } from '../../engine/engine.ts';
import type { AllowanceOptions, FrameHeader, HopTiming } from '../../transport/index.ts';
import type { WireType } from '../room.ts';
import type { BoundaryTap } from './boundary-tap.ts';
import type { StageFailure } from './stage-failures.ts';

/** What all stages of a device have in common. */
export interface StageSetting {
  deviceId: string;
  hiddenSize: number;
  contextLength: number;
  headLayer: number;
  wire: WireType;
}

export interface StageRunnerOptions extends StageSetting {
  engine: Engine;
  limits: StageLimits;
  wires: StageWires;
  outcomes: StageOutcomes;
  activity: StageActivity;
  /** Keeps what crosses to and from other devices, where it was asked to. */
  boundaryTap: BoundaryTap;
  /** How much that was wrong each other device may send before it is not heard any more. */
  failureReports?: AllowanceOptions;
}

/** What holds at this moment: each is asked for anew. */
export interface StageLimits {
  /** Most sequences that share one pass over the weights. */
  mostTogether: () => number;
  /** That each other device may open here at a time. */
  mostSequences: () => number;
  /** Of the replay buffer. */
  replayBudgetBytes: () => number;
}

/** The way to the other devices. */
export interface StageWires {
  /** A frame for a device that is gone is lost with it: the end of the link says so. */
  send: (deviceId: string, header: FrameHeader, payload: Uint8Array) => void;
  /** Half the round trip of the link to that device, in ms, as last measured. */
  wireMs: (deviceId: string) => number;
}

/** What became of the work. */
export interface StageOutcomes {
  /** Host: a lap came back. */
  onLapEnd: (end: LapEnd) => void;
  /** Host: a piece of a prompt that asked for no logits has been read by every block, up to `position`. */
  onPieceRead: (piece: { sequence: number; position: number }) => void;
  onFailure: (failure: StageFailure) => void;
}

/** Whether there is work. */
export interface StageActivity {
  onBusy: (busy: boolean) => void;
  /** A step of an answer went through one of this device's stages. */
  onStep: (hop: HopTiming) => void;
  /** This tab's part is done for now, or is its engine's: nothing here for the moment that a token waits for. */
  onIdle?: () => void;
}

export interface LapEnd {
  planVersion: number;
  sequence: number;
  /** [positions, vocab_size], of the last positions. */
  logits: Float32Array;
  positions: number;
  /** Position after the last of them. */
  upTo: number;
  hops: readonly HopTiming[];
}
