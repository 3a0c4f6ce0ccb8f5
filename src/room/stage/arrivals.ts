/** Judges the frames that reach this device: who may send them, what they may hold, and what work they bring. */
import type { FrameHeader } from '../../transport/index.ts';
import type { BoundaryTap } from './boundary-tap.ts';
import type { FailureReports } from './stage-failures.ts';
import type { Lap } from '../lap.ts';
import type { OpenSequences } from './open-sequences.ts';
import type { StageOutcomes, StageSetting, StageWires } from './stage-options.ts';
import {
  areFinite,
  bytesPerNumber,
  forkCode,
  groupCode,
  unpackGroup,
  unpackHidden,
  wireCode,
} from '../protocol/index.ts';
import { forkSource, isStep, type Routes, type Work } from './work/index.ts';

export interface ArrivalsOptions {
  setting: StageSetting;
  wires: StageWires;
  outcomes: StageOutcomes;
  boundaryTap: BoundaryTap;
  routes: Routes;
  open: Pick<OpenSequences, 'open'>;
  failureReports: Pick<FailureReports, 'hear' | 'blame'>;
}

/** The work that a frame brings; none where it is for the host to know, or too late. */
export type Arrivals = (
  from: string,
  header: FrameHeader,
  payload: Uint8Array<ArrayBuffer>,
) => Work[];

/** Who starts and ends every lap. */
const host = 'host';

const notFinite = 'It sent numbers that are not finite.';
const tooMany = 'It opened more sequences than the devices of this lap have memory for.';

/** What it makes throws one sentence for a frame that its sender has no business sending. */
export function createArrivals(options: ArrivalsOptions): Arrivals {
  const { routes, failureReports } = options;
  const { deviceId, hiddenSize, headLayer, wire } = options.setting;

  function single(from: string, header: FrameHeader, payload: Uint8Array<ArrayBuffer>): Work[] {
    const { sequence, step: position, stage, flags: logitsOf, hops } = header;
    const route = routes.of(header.planVersion, sequence);
    if (!route) return [];
    const { lap, rebuild } = route;
    const sender = stage > 0 ? lap.stages.at(stage - 1)?.device : rebuild?.source;
    if (stage === lap.stages.length && deviceId === host) {
      if (!isLastBlockStage(lap, from)) throw notItsToSend(from, stage);
      options.outcomes.onPieceRead({ sequence, position });
      return [];
    }
    if (lap.stages.at(stage)?.device !== deviceId || sender !== from)
      throw notItsToSend(from, stage);
    const later = hops.find((hop) => hop.stage >= stage);
    if (later) throw new Error(`${from} sent times of stage ${later.stage} to stage ${stage}`);
    // It ended while this was on its way.
    if (routes.isVoid({ ...route, sequence })) return [];
    const cache = rebuild?.stages[stage].cache ?? sequence;
    if (!options.open.open(from, cache)) {
      failureReports.blame(from, { lap, sequence }, 'request', tooMany);
      return [];
    }
    if (!rebuild) routes.move(sequence, lap.planVersion);
    const arrivedMs = performance.now();
    const arrival = { ...route, from, stage, sequence, position, logitsOf, hops, arrivedMs };
    if (header.dtype === forkCode) {
      const source = forkSource(from, payload);
      const input = { kind: 'fork', from: source } as const;
      return [{ ...arrival, kind: 'prompt', input, wireMs: 0 }];
    }
    const { tokens, values } = unpackHidden(payload, header.dtype, wire, hiddenSize);
    if (position + tokens > options.setting.contextLength)
      throw new Error(
        `${from} sent positions past the context of ${options.setting.contextLength}`,
      );
    if (logitsOf > tokens)
      throw new Error(`${from} asked for the logits of ${logitsOf} of ${tokens} positions`);
    if (!areFinite(values)) {
      failureReports.blame(from, { lap, sequence }, 'state', notFinite);
      return [];
    }
    options.boundaryTap.note(header, payload);
    const kind = isStep(tokens, logitsOf) ? 'token' : 'prompt';
    const input = { kind: 'hidden', tokens, values } as const;
    return [{ ...arrival, kind, input, wireMs: options.wires.wireMs(from) }];
  }

  /** Where a lap's last blocks are: whoever hands the head its input, or ends a piece of a prompt. */
  function isLastBlockStage(lap: Lap, device: string): boolean {
    const last = lap.stages[lap.stages.length - 1];
    const blocks = last.first === headLayer ? lap.stages.at(-2) : last;
    return blocks?.device === device;
  }

  return (from, header, payload) => {
    failureReports.hear(from);
    if (header.dtype !== groupCode) return single(from, header, payload);
    const dtype = wireCode(wire);
    return unpackGroup(payload, hiddenSize * bytesPerNumber[wire]).flatMap((step) => {
      const { sequence, position, hops } = step;
      const own = { ...header, dtype, flags: 1, sequence, step: position, hops };
      return single(from, own, step.payload);
    });
  };
}

function notItsToSend(from: string, stage: number): Error {
  return new Error(`${from} sent a frame for stage ${stage}, which is not its to send`);
}
