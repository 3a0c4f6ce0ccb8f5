/** What comes next for work that the engine has done: the lap ends, goes on here, or goes on to another device. */
import type { RunResult } from '../../engine/engine.ts';
import { areFinite, packHidden, wireCode } from '../protocol/index.ts';
import type { ReplayBuffer } from '../replay/index.ts';
import type { BoundaryTap } from './boundary-tap.ts';
import type { Onward } from './departures.ts';
import type { Progress } from './progress.ts';
import type { FailureReports } from './stage-failures.ts';
import type { StageActivity, StageOutcomes, StageSetting, StageWires } from './stage-options.ts';
import { headerFor, nextStage, positionsOf, type Routes, timing, type Work } from './work/index.ts';

export interface FinishedWorkOptions {
  setting: StageSetting;
  wires: StageWires;
  outcomes: StageOutcomes;
  activity: StageActivity;
  boundaryTap: BoundaryTap;
  routes: Routes;
  progress: Progress;
  replayBuffer: ReplayBuffer;
  failureReports: FailureReports;
  /** Takes work for another stage of this device. */
  enqueue: (work: Work) => void;
}

/** Ends the lap, or lets it go on; returns what is for another device. */
export type FinishedWork = (work: Work, result: RunResult, startedMs: number) => Onward[];

/** Who starts and ends every lap. */
const host = 'host';

export function createFinishedWork(options: FinishedWorkOptions): FinishedWork {
  const { wires, outcomes, activity, routes, replayBuffer, failureReports } = options;
  const { deviceId, hiddenSize, headLayer, wire } = options.setting;

  function endPiece(work: Work, result: Extract<RunResult, { kind: 'hidden' }>): void {
    const sequence = work.rebuild?.fills ?? work.sequence;
    const layer = work.lap.stages[work.stage].last + 1;
    if (work.rebuild && layer < headLayer)
      replayBuffer.keep({ sequence, layer }, work.position, packHidden(result.values, wire));
    reportPieceRead(work, work.position + result.tokens);
  }

  function reportPieceRead(work: Work, position: number): void {
    if (deviceId === host) outcomes.onPieceRead({ sequence: work.sequence, position });
    else {
      const { length } = work.lap.stages;
      const header = headerFor({ ...work, position }, length, wireCode(wire), []);
      wires.send(host, header, new Uint8Array(0));
    }
  }

  return (work, result, startedMs) => {
    if (routes.isVoid(work)) return [];
    options.progress.gave(work);
    const hop = timing(work, startedMs, result.computeMs);
    const hops = [...work.hops, hop];
    if (work.kind === 'token') activity.onStep(hop);
    if (result.kind === 'logits') {
      const { planVersion } = work.lap;
      const { positions, values: logits } = result;
      const upTo = work.position + positionsOf(work.input);
      outcomes.onLapEnd({ planVersion, sequence: work.sequence, logits, positions, upTo, hops });
      return [];
    }
    const next = nextStage(work);
    if (!next || (next.first === headLayer && work.logitsOf === 0)) {
      endPiece(work, result);
      return [];
    }
    // The head looks at the last positions only: no others need to travel to it.
    const carried =
      next.first === headLayer ? Math.min(work.logitsOf, result.tokens) : result.tokens;
    const skipped = result.tokens - carried;
    const values = result.values.subarray(skipped * hiddenSize);
    const passed = { ...work, position: work.position + skipped, stage: work.stage + 1, hops };
    const { device, first: layer } = next;
    if (device === deviceId) {
      const input = { kind: 'hidden', tokens: carried, values } as const;
      options.enqueue({ ...passed, input, wireMs: 0, arrivedMs: performance.now() });
      return [];
    }
    if (!areFinite(values)) {
      failureReports.failed(work, 'Its results are not finite numbers.');
      return [];
    }
    const onSent: Onward['onSent'] = (payload) => {
      const { stage, position: step } = passed;
      options.boundaryTap.note(
        { planVersion: work.lap.planVersion, sequence: work.sequence, stage, step },
        payload,
      );
      const sequence = work.rebuild?.fills ?? work.sequence;
      if (layer < headLayer) replayBuffer.keep({ sequence, layer }, work.position, payload);
    };
    return [{ device, work: passed, tokens: carried, values, onSent }];
  };
}
