/**
 * Runs this device's stages: a frame comes in, its rows run, a frame goes on to the next stage. The
 * host's first stage starts a lap from token ids and its last one ends it in logits; otherwise host
 * and devices are alike, and a lone host is a lap with no link in it.
 *
 * One run at a time, in the order of `stage-queue.ts`, and nothing here waits on a clock.
 */
import type { Engine, RunRequest, RunResult } from '../engine/engine.ts';
import type { FrameHeader, HopTiming } from '../transport/index.ts';
import { forkCode, packHidden, unpackHidden, wireCode } from './hidden-codec.ts';
import type { Lap } from './lap.ts';
import type { WireType } from './room.ts';
import { createStageQueue } from './stage-queue.ts';

export interface LapStart {
  sequence: number;
  /** Position of `ids[0]` in the sequence. */
  position: number;
  ids: Int32Array;
  /** How many of the last positions are to be answered with logits; 0 for a piece of a prompt that goes on. */
  logitsOf: number;
}

export interface LapFork {
  sequence: number;
  /** The sequence whose cache it begins with, and how many positions of it. */
  from: number;
  length: number;
}

export interface LapEnd {
  epoch: number;
  sequence: number;
  /** [positions, vocab_size], of the last positions. */
  logits: Float32Array;
  positions: number;
  hops: readonly HopTiming[];
}

export interface StageRunnerOptions {
  deviceId: string;
  engine: Engine;
  hiddenSize: number;
  contextLength: number;
  headRow: number;
  wire: WireType;
  /** Most sequences that share one pass over the weights. */
  maxBatch: number;
  /** A frame for a device that is gone is lost with it: the end of the link says so. */
  send: (deviceId: string, header: FrameHeader, payload: Uint8Array) => void;
  /** Half the round trip of the link to that device, in ms, as last measured. */
  wireMs: (deviceId: string) => number;
  /** Host: a lap came back. */
  onLapEnd: (end: LapEnd) => void;
  /** Host: a piece of a prompt that asked for no logits has been read by every layer, up to `position`. */
  onPieceRead: (piece: { sequence: number; position: number }) => void;
  onFailure: (failure: { epoch: number; sequence: number; reason: string }) => void;
  onBusy: (busy: boolean) => void;
}

export interface StageRunner {
  /** From now on frames of this lap are taken. */
  adopt(lap: Lap): void;
  /** Frames of all other laps are dropped from now on. */
  keepOnly(epochs: ReadonlySet<number>): void;
  /** Frames of this sequence that are still on their way are dropped. */
  release(sequence: number): void;
  /** Host: sends token ids into the lap's first stage. */
  start(epoch: number, start: LapStart): void;
  /** Host: has every stage begin `sequence` with the first `length` positions of another one's cache. */
  fork(epoch: number, fork: LapFork): void;
  /**
   * A frame from another device. One that belongs to a lap no longer known is dropped in silence: it
   * was under way when the plan changed. Throws one sentence when the sender has no business sending it.
   */
  receive(from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>): void;
}

interface Work {
  kind: 'token' | 'prompt';
  lap: Lap;
  stage: number;
  sequence: number;
  position: number;
  logitsOf: number;
  input: RunRequest['input'] | { kind: 'fork'; from: number };
  hops: readonly HopTiming[];
  wireMs: number;
  arrivedMs: number;
}

/** Far more than can have frames under way at once. */
const releasedKept = 4096;

export function createStageRunner(options: StageRunnerOptions): StageRunner {
  const { deviceId, engine, hiddenSize, headRow, wire } = options;
  const laps = new Map<number, Lap>();
  const queue = createStageQueue<Work>(options.maxBatch);
  /** Sequences that ended while some of their frames were on their way; ids only grow. */
  const released = new Set<number>();
  let isRunning = false;

  function enqueue(work: Work): void {
    queue.push(work);
    if (!isRunning) void drain();
  }

  async function drain(): Promise<void> {
    isRunning = true;
    options.onBusy(true);
    for (let batch = queue.take(); batch.length > 0; batch = queue.take()) {
      const wanted = batch.filter(({ sequence }) => !released.has(sequence));
      for (const alike of groupedByStage(wanted)) await runTogether(alike);
    }
    isRunning = false;
    options.onBusy(false);
  }

  async function runTogether(batch: Work[]): Promise<void> {
    try {
      const startedMs = performance.now();
      const forks = batch.filter((work) => work.input.kind === 'fork');
      for (const work of forks) await runFork(work);
      const runs = batch.flatMap((work) =>
        work.input.kind === 'fork' ? [] : [{ work, request: requestOf(work, work.input) }],
      );
      const results = await engine.runBatch(runs.map(({ request }) => request));
      runs.forEach(({ work }, index) => finish(work, results[index], startedMs));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      for (const { lap, sequence } of batch)
        options.onFailure({ epoch: lap.epoch, sequence, reason });
    }
  }

  function requestOf(work: Work, input: RunRequest['input']): RunRequest {
    const { first, last } = work.lap.stages[work.stage];
    const { sequence, position, logitsOf } = work;
    // Without logits to make, the head has nothing to do.
    const lastToRun = last === headRow && logitsOf === 0 ? last - 1 : last;
    return { first, last: lastToRun, sequence, position, input, ...(logitsOf > 0 && { logitsOf }) };
  }

  async function runFork(work: Work): Promise<void> {
    if (work.input.kind !== 'fork') return;
    const { first, last } = work.lap.stages[work.stage];
    const rows = { first, last };
    await engine.forkSequence(rows, work.input.from, work.sequence, work.position);
    const next = nextStage(work);
    if (!next || next.first === headRow) return;
    const payload = new Uint8Array(Uint32Array.of(work.input.from).buffer);
    options.send(next.device, headerFor(work, work.stage + 1, forkCode, []), payload);
  }

  function finish(work: Work, result: RunResult, startedMs: number): void {
    if (released.has(work.sequence)) return;
    const hops = [...work.hops, timing(work, startedMs, result.computeMs)];
    if (result.kind === 'logits') {
      const { epoch } = work.lap;
      const { positions, values: logits } = result;
      options.onLapEnd({ epoch, sequence: work.sequence, logits, positions, hops });
      return;
    }
    const next = nextStage(work);
    if (!next || (next.first === headRow && work.logitsOf === 0)) {
      reportPieceRead(work, work.position + result.tokens);
      return;
    }
    // The head looks at the last positions only: no others need to travel to it.
    const carried = next.first === headRow ? Math.min(work.logitsOf, result.tokens) : result.tokens;
    const skipped = result.tokens - carried;
    const values = result.values.subarray(skipped * hiddenSize);
    const passed = { ...work, position: work.position + skipped, stage: work.stage + 1, hops };
    if (next.device === deviceId) {
      const input = { kind: 'hidden', tokens: carried, values } as const;
      enqueue({ ...passed, input, wireMs: 0, arrivedMs: performance.now() });
    } else {
      const header = headerFor(passed, passed.stage, wireCode(wire), hops);
      options.send(next.device, header, packHidden(values, wire));
    }
  }

  function reportPieceRead(work: Work, position: number): void {
    const { stages } = work.lap;
    if (deviceId === stages[0].device) options.onPieceRead({ sequence: work.sequence, position });
    else {
      const header = headerFor({ ...work, position }, stages.length, wireCode(wire), []);
      options.send(stages[0].device, header, new Uint8Array(0));
    }
  }

  function nextStage({ lap, stage }: Work): Lap['stages'][number] | undefined {
    return lap.stages.at(stage + 1);
  }

  function headerFor(
    { logitsOf, lap, sequence, position }: Work,
    stage: number,
    dtype: number,
    hops: readonly HopTiming[],
  ): FrameHeader {
    return { flags: logitsOf, dtype, epoch: lap.epoch, sequence, step: position, stage, hops };
  }

  function begin(
    epoch: number,
    work: Omit<Work, 'lap' | 'stage' | 'hops' | 'wireMs' | 'arrivedMs'>,
  ): void {
    const lap = laps.get(epoch);
    if (!lap) throw new Error(`plan ${epoch} is no longer in use`);
    enqueue({ ...work, lap, stage: 0, hops: [], wireMs: 0, arrivedMs: performance.now() });
  }

  return {
    release(sequence) {
      released.add(sequence);
      for (const oldest of released) {
        if (released.size <= releasedKept) break;
        released.delete(oldest);
      }
    },
    adopt(lap) {
      laps.set(lap.epoch, lap);
    },
    keepOnly(epochs) {
      for (const known of laps.keys()) if (!epochs.has(known)) laps.delete(known);
    },
    start(epoch, { sequence, position, ids, logitsOf }) {
      const kind = isStep(ids.length, logitsOf) ? 'token' : 'prompt';
      begin(epoch, { kind, sequence, position, logitsOf, input: { kind: 'tokens', ids } });
    },
    fork(epoch, { sequence, from, length }) {
      const input = { kind: 'fork', from } as const;
      begin(epoch, { kind: 'prompt', sequence, position: length, logitsOf: 0, input });
    },
    receive(from, header, payload) {
      const lap = laps.get(header.epoch);
      if (!lap) return;
      const { sequence, step: position, stage, flags: logitsOf, hops } = header;
      const sender = stage > 0 ? lap.stages.at(stage - 1) : undefined;
      if (stage === lap.stages.length && deviceId === lap.stages[0].device) {
        if (!isLastLayerStage(lap, from)) throw notItsToSend(from, stage);
        options.onPieceRead({ sequence, position });
        return;
      }
      if (lap.stages.at(stage)?.device !== deviceId || sender?.device !== from)
        throw notItsToSend(from, stage);
      const arrival = {
        lap,
        stage,
        sequence,
        position,
        logitsOf,
        hops,
        arrivedMs: performance.now(),
      };
      if (header.dtype === forkCode) {
        const source = forkSource(from, payload);
        const input = { kind: 'fork', from: source } as const;
        enqueue({ ...arrival, kind: 'prompt', input, wireMs: 0 });
        return;
      }
      const { tokens, values } = unpackHidden(payload, header.dtype, wire, hiddenSize);
      if (position + tokens > options.contextLength)
        throw new Error(`${from} sent positions past the context of ${options.contextLength}`);
      if (logitsOf > tokens)
        throw new Error(`${from} asked for the logits of ${logitsOf} of ${tokens} positions`);
      const kind = isStep(tokens, logitsOf) ? 'token' : 'prompt';
      const input = { kind: 'hidden', tokens, values } as const;
      enqueue({ ...arrival, kind, input, wireMs: options.wireMs(from) });
    },
  };

  /** Where a lap's last layers are: whoever hands the head its input, or ends a piece of a prompt. */
  function isLastLayerStage(lap: Lap, device: string): boolean {
    const last = lap.stages[lap.stages.length - 1];
    const layers = last.first === headRow ? lap.stages.at(-2) : last;
    return layers?.device === device;
  }
}

/** A step of an answer asks for logits at every position; with a draft there are a few of them. */
function isStep(tokens: number, logitsOf: number): boolean {
  return logitsOf === tokens;
}

function groupedByStage(batch: Work[]): Work[][] {
  const groups = new Map<string, Work[]>();
  for (const work of batch) {
    const name = `${work.lap.epoch} ${work.stage}`;
    const group = groups.get(name);
    if (group) group.push(work);
    else groups.set(name, [work]);
  }
  return [...groups.values()];
}

function notItsToSend(from: string, stage: number): Error {
  return new Error(`${from} sent a frame for stage ${stage}, which is not its to send`);
}

function forkSource(from: string, payload: Uint8Array<ArrayBuffer>): number {
  if (payload.byteLength !== 4)
    throw new Error(`${from} sent a fork of ${payload.byteLength} bytes instead of 4`);
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

function timing(work: Work, startedMs: number, computeMs: number): HopTiming {
  return {
    stage: work.stage,
    queueUs: Math.round((startedMs - work.arrivedMs) * 1000),
    computeUs: Math.round(computeMs * 1000),
    wireUs: Math.round(work.wireMs * 1000),
  };
}
