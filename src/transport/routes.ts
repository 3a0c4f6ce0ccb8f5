/** Which of a link's connections carries what, by what the link was measured to do. */
import type { Bundle } from './bundle.ts';
import type { EchoOptions, Slice } from './frame-port.ts';
import type { Lane } from './lane.ts';
import { createProbes } from './probes.ts';
import { createSendPolicy, type Decision } from './send-policy.ts';
import type { LinkStats } from './types.ts';

export interface Routes {
  /** Sends slices, over certain connections if any are named; returns those that are answerable for them. */
  send(slices: readonly Slice[], over?: readonly Lane[]): readonly Lane[];
  /** A frame with so many bytes was sent: it may be time to measure. */
  frameSent(bytes: number): void;
  /** A frame came: likewise, since a side that sends none over this link goes by its round trip, too. */
  frameCame(): void;
  /** Frames go by: large messages are to give way for a while. */
  giveWay(): void;
  /** The connection for a large message of so many bytes, opened if it is worth one. */
  bulkLane(bytes: number): Promise<Lane>;
  /** A connection came or went. */
  changed(): void;
  /** Decides anew; about once a second. */
  tend(): void;
}

export interface RoutesOptions {
  primary: () => Lane;
  bundle: Bundle;
  /** Whether nothing may be sent at present. */
  isHeld: () => boolean;
  roundTrip: (bytes: number, echo: EchoOptions) => Promise<number>;
  stats: LinkStats;
}

/** Frames of so many slices, a token's hidden state, are small. */
const smallSlices = 2;
/** Large messages from here on get a connection of their own, if it comes in time; it stays while it is used. */
const ownConnectionBytes = 64 * 1024;
const ownConnectionMs = 2500;
const ownConnectionIdleMs = 20_000;

export function createRoutes({ primary, bundle, isHeld, roundTrip, stats }: RoutesOptions): Routes {
  const policy = createSendPolicy();
  let decision: Decision = { twice: false, striped: false, furtherLanes: 0 };
  let bulkSentAt = -Infinity;

  const tokenLanes = (): Lane[] => [primary(), ...bundle.tokens];
  const probes = createProbes({
    policy,
    lanes: tokenLanes,
    isGrowing: () => bundle.isGrowing,
    roundTrip,
    onMeasured: decide,
  });

  function decide(): void {
    decision = policy.decide();
    stats.quality = policy.quality;
    stats.roundTripMs = policy.roundTripMs;
    show();
    wantLanes();
  }

  function show(): void {
    const { tokens, bulk } = bundle;
    stats.sendsTwice = decision.twice && tokens.length > 0;
    stats.striped = decision.striped && tokens.length > 0;
    stats.connections = 1 + tokens.length + (bulk ? 1 : 0);
  }

  function wantLanes(): void {
    const bulkBusy = performance.now() - bulkSentAt < ownConnectionIdleMs;
    bundle.want({ tokens: decision.furtherLanes, bulk: bulkBusy ? 1 : 0 });
  }

  function sendSlice(lane: Lane, slice: Slice): void {
    stats.bytesSent += slice.length;
    lane.sendSlice(slice);
  }

  return {
    send(slices, over) {
      if (isHeld()) return [];
      const all = over ?? tokenLanes();
      const isSmall = slices.length <= smallSlices;
      if (isSmall && over === undefined && decision.twice) {
        for (const lane of all.slice(0, 2)) for (const slice of slices) sendSlice(lane, slice);
        // Should the first end, the frame goes again, whatever became of the copy.
        return all.slice(0, 1);
      }
      const spread = !isSmall && (over !== undefined || decision.striped);
      const lanes = spread ? all : all.slice(0, 1);
      slices.forEach((slice, index) => sendSlice(lanes[index % lanes.length], slice));
      return lanes;
    },
    frameSent(bytes) {
      policy.sawFrame(bytes);
      if (!isHeld()) probes.framePassed();
    },
    frameCame() {
      if (!isHeld()) probes.framePassed();
    },
    giveWay() {
      for (const lane of tokenLanes()) lane.bulk.frameSeen();
      bundle.bulk?.bulk.frameSeen();
    },
    async bulkLane(bytes) {
      if (bytes < ownConnectionBytes || isHeld()) return primary();
      bulkSentAt = performance.now();
      wantLanes();
      if (!bundle.bulk) await bundle.bulkSettled(ownConnectionMs);
      return bundle.bulk ?? primary();
    },
    changed() {
      show();
      probes.tryStriping();
    },
    tend() {
      if (policy.quality.samples > 0) decide();
      else wantLanes();
      probes.tryStriping();
    },
  };
}
