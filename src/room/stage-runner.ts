/**
 * Runs this device's stages: a frame comes in, its rows run, a frame goes on to the next stage. The
 * host's first stage starts a lap from token ids and its last one ends it in logits; otherwise host
 * and devices are alike, and a lone host is a lap with no link in it.
 *
 * Work is taken in order of arrival, one run at a time, and nothing here waits on a clock.
 */
import type { Engine, RunRequest } from '../engine/engine.ts';
import type { FrameHeader, HopTiming } from '../transport/index.ts';
import { packHidden, unpackHidden, wireCode } from './hidden-codec.ts';
import type { Lap } from './lap.ts';
import type { WireType } from './room.ts';

/** Frame flag: this frame's last token is to be answered with logits. */
const wantsLogitsFlag = 1;

export interface LapStart {
  sequence: number;
  /** Position of `ids[0]` in the sequence. */
  position: number;
  ids: Int32Array;
  wantsLogits: boolean;
}

export interface LapEnd {
  epoch: number;
  sequence: number;
  /** [vocab_size], of the last position. */
  logits: Float32Array;
  hops: readonly HopTiming[];
}

export interface StageRunnerOptions {
  deviceId: string;
  engine: Engine;
  hiddenSize: number;
  contextLength: number;
  headRow: number;
  wire: WireType;
  /** Throws when there is no link to that device. */
  send: (deviceId: string, header: FrameHeader, payload: Uint8Array) => void;
  /** Half the round trip of the link to that device, in ms, as last measured. */
  wireMs: (deviceId: string) => number;
  onLapEnd: (end: LapEnd) => void;
  onFailure: (failure: { epoch: number; sequence: number; reason: string }) => void;
  onBusy: (busy: boolean) => void;
}

export interface StageRunner {
  /** From now on frames of this lap are taken; earlier laps stay until `forgetBefore`. */
  adopt(lap: Lap): void;
  forgetBefore(epoch: number): void;
  /** Host: sends token ids into the lap's first stage. */
  start(epoch: number, start: LapStart): void;
  /**
   * A frame from another device. One that belongs to a lap no longer known is dropped in silence: it
   * was under way when the plan changed. Throws one sentence when the sender has no business sending it.
   */
  receive(from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>): void;
}

interface Work {
  lap: Lap;
  stage: number;
  sequence: number;
  position: number;
  wantsLogits: boolean;
  input: RunRequest['input'];
  hops: readonly HopTiming[];
  wireMs: number;
  arrivedMs: number;
}

export function createStageRunner(options: StageRunnerOptions): StageRunner {
  const { deviceId, engine, hiddenSize, headRow, wire } = options;
  const laps = new Map<number, Lap>();
  const queue: Work[] = [];
  let running = false;

  function enqueue(work: Work): void {
    queue.push(work);
    if (!running) void drain();
  }

  async function drain(): Promise<void> {
    running = true;
    options.onBusy(true);
    for (let work = queue.shift(); work; work = queue.shift()) {
      try {
        await runStage(work);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        options.onFailure({ epoch: work.lap.epoch, sequence: work.sequence, reason });
      }
    }
    running = false;
    options.onBusy(false);
  }

  async function runStage(work: Work): Promise<void> {
    const { lap, sequence, position, wantsLogits } = work;
    const { first, last } = lap.stages[work.stage];
    const startedMs = performance.now();
    const result = await engine.run({
      first,
      // Without logits to make, the head has nothing to do.
      last: last === headRow && !wantsLogits ? last - 1 : last,
      sequence,
      position,
      input: work.input,
    });
    const hops = [...work.hops, timing(work, startedMs, result.computeMs)];
    if (result.kind === 'logits') {
      options.onLapEnd({ epoch: lap.epoch, sequence, logits: result.values, hops });
    } else {
      pass(work, hops, result.tokens, result.values);
    }
  }

  function pass(work: Work, hops: HopTiming[], tokens: number, values: Float32Array): void {
    const stage = work.stage + 1;
    const next = work.lap.stages.at(stage);
    const onlyHeadIsLeft = next?.first === headRow;
    if (!next || (onlyHeadIsLeft && !work.wantsLogits)) return;
    // The head looks at the last position only: no other needs to travel to it.
    const carried = onlyHeadIsLeft ? values.subarray((tokens - 1) * hiddenSize) : values;
    const position = onlyHeadIsLeft ? work.position + tokens - 1 : work.position;
    if (next.device === deviceId) {
      const input = {
        kind: 'hidden',
        tokens: carried.length / hiddenSize,
        values: carried,
      } as const;
      enqueue({ ...work, stage, position, input, hops, wireMs: 0, arrivedMs: performance.now() });
      return;
    }
    const header: FrameHeader = {
      flags: work.wantsLogits ? wantsLogitsFlag : 0,
      dtype: wireCode(wire),
      epoch: work.lap.epoch,
      sequence: work.sequence,
      step: position,
      stage,
      hops,
    };
    options.send(next.device, header, packHidden(carried, wire));
  }

  return {
    adopt(lap) {
      laps.set(lap.epoch, lap);
    },
    forgetBefore(epoch) {
      for (const known of laps.keys()) if (known < epoch) laps.delete(known);
    },
    start(epoch, { sequence, position, ids, wantsLogits }) {
      const lap = laps.get(epoch);
      if (!lap) throw new Error(`plan ${epoch} is no longer in use`);
      const input = { kind: 'tokens', ids } as const;
      const arrivedMs = performance.now();
      enqueue({
        lap,
        stage: 0,
        sequence,
        position,
        wantsLogits,
        input,
        hops: [],
        wireMs: 0,
        arrivedMs,
      });
    },
    receive(from, header, payload) {
      const lap = laps.get(header.epoch);
      if (!lap) return;
      const stage = lap.stages.at(header.stage);
      const sender = header.stage > 0 ? lap.stages.at(header.stage - 1) : undefined;
      if (stage?.device !== deviceId || sender?.device !== from)
        throw new Error(`${from} sent a frame for stage ${header.stage}, which is not its to send`);
      const { tokens, values } = unpackHidden(payload, header.dtype, wire, hiddenSize);
      if (header.step + tokens > options.contextLength)
        throw new Error(`${from} sent positions past the context of ${options.contextLength}`);
      enqueue({
        lap,
        stage: header.stage,
        sequence: header.sequence,
        position: header.step,
        wantsLogits: (header.flags & wantsLogitsFlag) !== 0,
        input: { kind: 'hidden', tokens, values },
        hops: header.hops,
        wireMs: options.wireMs(from),
        arrivedMs: performance.now(),
      });
    },
  };
}

function timing(work: Work, startedMs: number, computeMs: number): HopTiming {
  return {
    stage: work.stage,
    queueUs: Math.round((startedMs - work.arrivedMs) * 1000),
    computeUs: Math.round(computeMs * 1000),
    wireUs: Math.round(work.wireMs * 1000),
  };
}
