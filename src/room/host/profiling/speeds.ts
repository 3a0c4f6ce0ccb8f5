/**
 * How fast the room's devices are, by the best that is known. Each measured itself; its laps correct that
 * (`calibration.ts`), and where the measurement is too old to plan by, it measures itself anew (`stragglers.ts`).
 */
import { createCalibration, type Calibration } from './calibration.ts';
import { createStragglers, type Stragglers } from './stragglers.ts';
import { plannedWireMs } from './planned-wire.ts';
import type { Roster } from '../membership/index.ts';

export interface SpeedsOptions {
  roster: Roster;
  /** The model's last layer, which is its head. */
  headLayer: number;
  /** Of a token's hidden state, as it goes over the wire. */
  hiddenBytes: number;
  /** What the plan that runs should take has changed. */
  reprice: () => void;
  /** Another plan may be better by now. */
  planAnew: () => void;
  /** Aborts when the room ends. */
  signal: AbortSignal;
}

export interface Speeds
  extends
    Pick<Calibration, 'observe' | 'calibrated' | 'wireShare'>,
    Pick<Stragglers, 'measured' | 'visibilityChanged'> {
  /** The device left the room. */
  left(deviceId: string): void;
}

export function createSpeeds(options: SpeedsOptions): Speeds {
  const { roster, headLayer, hiddenBytes, reprice, planAnew, signal } = options;
  const { members } = roster;
  const calibration = createCalibration({
    member: (deviceId) => members.get(deviceId),
    headLayer,
    wireMs: (from, to) => plannedWireMs(members, from, to, hiddenBytes),
    onDrift() {
      reprice();
      roster.show();
    },
    onDeparture() {
      // First what the running plan costs now: answers on it leave for a better one by that.
      reprice();
      stragglers.look();
      planAnew();
    },
  });
  const stragglers = createStragglers({
    members,
    calibrated: (deviceId, profile) => calibration.calibrated(deviceId, profile),
    measureAgain: ({ link }) => link?.sendControl({ kind: 'measure-again' }),
    onNotice: (sentence) => roster.notice(sentence),
    onMeasured({ id }) {
      calibration.forget(id);
      roster.show();
      planAnew();
    },
    signal,
  });

  return {
    observe: (lap) => calibration.observe(lap),
    calibrated: (deviceId, profile) => calibration.calibrated(deviceId, profile),
    wireShare: (from, to) => calibration.wireShare(from, to),
    measured: (member, compute) => stragglers.measured(member, compute),
    visibilityChanged: (member, isHidden) => stragglers.visibilityChanged(member, isHidden),
    left(deviceId) {
      calibration.forget(deviceId);
      stragglers.left(deviceId);
    },
  };
}
