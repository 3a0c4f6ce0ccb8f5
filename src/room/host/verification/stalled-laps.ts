/**
 * Finds out which device keeps a lap. A device may be there, answer every question, and hand nothing on: its engine hangs,
 * or its person means ill. When a lap has not moved for long, each device says how much of it it took in and handed on.
 * If two inquiries find the same, the lap stays with the device that took in more than it gave.
 */
import type { Lap } from '../../lap.ts';
import type { StageProgress } from '../../stage/index.ts';
import type { HostMessage } from '../../protocol/index.ts';
import type { LapRunner, Trip } from '../decoding/index.ts';
import type { DeviceHandlers } from '../membership/index.ts';
import type { RunningLap } from '../planning/index.ts';

export interface StalledLapsOptions {
  tell: (deviceId: string, message: HostMessage) => void;
  /** Of the host's own stages. */
  hostProgress: (planVersion: number, sequence: number) => StageProgress[];
  /** The model's last layer. */
  headLayer: number;
  /** It took in what it does not hand on. */
  onKeeper: (deviceId: string) => void;
  /** One says that it gave what the other says it never got. */
  onContradiction: (giver: string, taker: string) => void;
}

export interface StalledLaps {
  /** The same laps, looked after. */
  watching(laps: LapRunner): LapRunner;
  onProgress(deviceId: string, message: ProgressMessage): void;
  readonly handlers: DeviceHandlers<'progress'>;
}

export interface ProgressMessage {
  planVersion: number;
  sequence: number;
  stages: readonly StageProgress[];
}

/** A lap that takes so many times as long as predicted, and at least so long, is not merely slow. */
const stalledFactor = 10;
const leastStalledMs = 20_000;
/** Between two inquiries: what is on its way arrives meanwhile. */
const pauseMs = 4000;

interface Watched {
  lap: Lap;
  /** What each device said in the inquiry that is under way. */
  said: Map<string, readonly StageProgress[]>;
}

type Finding = { keeper: string } | { giver: string; taker: string };

export function createStalledLaps(options: StalledLapsOptions): StalledLaps {
  const watched = new Map<number, Watched>();

  function inquire(sequence: number, { lap, said }: Watched): void {
    said.clear();
    for (const device of new Set(lap.stages.map((stage) => stage.device)))
      if (device !== 'host')
        options.tell(device, { kind: 'report-progress', planVersion: lap.planVersion, sequence });
  }

  function find(sequence: number, { lap, said }: Watched): Finding | null {
    said.set('host', options.hostProgress(lap.planVersion, sequence));
    let before: { device: string; given: number } | null = null;
    for (const [stage, { device, first }] of lap.stages.entries()) {
      // A device that does not answer at all is found elsewhere: see `liveness.ts`.
      const all = said.get(device);
      if (!all) return null;
      const { taken, given } = all.find((each) => each.stage === stage) ?? { taken: 0, given: 0 };
      // Pieces of a prompt end before the head: the host would have heard of them.
      if (first === options.headLayer && before)
        return taken > given || before.device === 'host' ? null : { keeper: before.device };
      if (before && taken < before.given) return { giver: before.device, taker: device };
      if (given < taken) return device === 'host' ? null : { keeper: device };
      before = { device, given };
    }
    return null;
  }

  function report(finding: Finding): void {
    if ('keeper' in finding) options.onKeeper(finding.keeper);
    // The host knows what it sent, and what came.
    else if (finding.giver === 'host') options.onKeeper(finding.taker);
    else if (finding.taker === 'host') options.onKeeper(finding.giver);
    else options.onContradiction(finding.giver, finding.taker);
  }

  /** Returns what ends it; `moved` is to be called when something came round. */
  function watch({ lap, plan }: RunningLap, trip: Trip): { moved: () => void; end: () => void } {
    const inquiry: Watched = { lap, said: new Map() };
    const tokens = Math.min(trip.chunk, trip.ids.length);
    const stalledMs = Math.max(leastStalledMs, stalledFactor * plan.lapMs * tokens);
    const { sequence } = trip;
    let timer: ReturnType<typeof setTimeout>;
    let found: Finding | null = null;
    const again = (): void => {
      const finding = inquiry.said.size > 0 ? find(sequence, inquiry) : null;
      const isSame = finding && JSON.stringify(finding) === JSON.stringify(found);
      found = finding;
      if (isSame) report(finding);
      inquire(sequence, inquiry);
      timer = setTimeout(again, pauseMs);
    };
    const moved = (): void => {
      clearTimeout(timer);
      inquiry.said.clear();
      found = null;
      timer = setTimeout(again, stalledMs);
    };
    watched.set(sequence, inquiry);
    moved();
    return {
      moved,
      end() {
        clearTimeout(timer);
        watched.delete(sequence);
      },
    };
  }

  const stalledLaps: StalledLaps = {
    watching: (laps) => ({
      ...laps,
      async run(running, trip) {
        const { moved, end } = watch(running, trip);
        const onRead = (position: number): void => {
          moved();
          trip.onRead?.(position);
        };
        try {
          return await laps.run(running, { ...trip, onRead });
        } finally {
          end();
        }
      },
    }),
    onProgress(deviceId, { planVersion, sequence, stages }) {
      const inquiry = watched.get(sequence);
      const isAsked =
        inquiry?.lap.planVersion === planVersion &&
        inquiry.lap.stages.some(({ device }) => device === deviceId);
      if (isAsked) inquiry.said.set(deviceId, stages);
    },
    handlers: { progress: ({ id }, message) => stalledLaps.onProgress(id, message) },
  };
  return stalledLaps;
}
