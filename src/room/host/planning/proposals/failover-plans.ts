/**
 * What the room would run if one of its devices left: a plan for each of them, made in advance, and the layers that
 * standby devices keep ready for it. When a device is lost, there is then nothing to plan and little to load.
 */
import { devicesOf, layersOf, type Lap } from '../../../lap.ts';
import { blocksThatFit } from './memory-fit.ts';
import type { Choose } from './plan-chooser.ts';
import type { FeasibleRoomPlan } from './plan-price.ts';
import { planRoom } from './room-plan.ts';
import type { RoomPlanInput } from './room-problem.ts';

export interface FailoverPlansOptions {
  /** What plans are made from now. */
  input: () => RoomPlanInput;
  choose: Choose;
  /** The plans are known: what each device should keep ready, in its memory or at least at hand. */
  onStandby: (standby: ReadonlyMap<string, StandbyLayers>) => void;
}

export interface StandbyLayers {
  layers: number[];
  /** The device computes for nobody: it can hold them ready to run. */
  isLoaded: boolean;
}

export interface FailoverPlans {
  /** Makes a plan for the loss of each device of the lap that runs. */
  prepare(lap: Lap): void;
  /** The plan without this device, if it is known. */
  without(deviceId: string): FeasibleRoomPlan | null;
}

/** Whoever can go on at once may be this much slower than the best plan, which follows. */
const loadTolerance = 0.5;

interface FailoverPlan {
  plan: FeasibleRoomPlan;
  /** Layers that somebody must load for it, by device. */
  toLoad: Map<string, number[]>;
  missing: number;
}

export function createFailoverPlans(options: FailoverPlansOptions): FailoverPlans {
  let plans = new Map<string, FailoverPlan>();
  /** Tells preparations that a later one has begun. */
  let latest = 0;

  async function planFor(lap: Lap): Promise<void> {
    const own = ++latest;
    plans = new Map();
    const input = options.input();
    const inUse = devicesOf(lap);
    const made = new Map<string, FailoverPlan>();
    for (const lost of inUse) {
      if (lost === 'host') continue;
      const members = input.members.filter(({ id }) => id !== lost);
      // Whoever has nothing to do may have loaded the lost layers by then; no others need to move.
      const held = (id: string): readonly number[] => layersOf(lap, inUse.has(id) ? id : lost);
      const loaded = new Map(members.map(({ id }) => [id, held(id)]));
      const plan = await planRoom({ ...input, members, loaded, loadTolerance }, options.choose);
      if (own !== latest) return;
      if (!plan.feasible) continue;
      const toLoad = new Map<string, number[]>();
      for (const { id } of members) {
        const layers = layersOf({ planVersion: 0, stages: plan.stages }, id);
        const there = inUse.has(id) ? layersOf(lap, id) : [];
        const missing = layers.filter((layer) => !there.includes(layer));
        if (missing.length > 0) toLoad.set(id, missing);
      }
      made.set(lost, { plan, toLoad, missing: [...toLoad.values()].flat().length });
    }
    plans = made;
    options.onStandby(standbyLayers([...made.values()], inUse, input));
  }

  return {
    prepare(lap) {
      // Without a plan made in advance, one is made when the loss comes.
      planFor(lap).catch(() => undefined);
    },
    without: (deviceId) => plans.get(deviceId)?.plan ?? null,
  };
}

/** Losses with the most layers to load come first; each standby device takes what it has memory for. */
function standbyLayers(
  failoverPlans: FailoverPlan[],
  inUse: ReadonlySet<string>,
  { members, manifest, contextLength }: RoomPlanInput,
): Map<string, StandbyLayers> {
  const standby = new Map(
    members.map(({ id }): [string, StandbyLayers] => [
      id,
      { layers: [], isLoaded: !inUse.has(id) },
    ]),
  );
  for (const { toLoad } of [...failoverPlans].sort((a, b) => b.missing - a.missing))
    for (const [id, layers] of toLoad) {
      const member = members.find((each) => each.id === id);
      const kept = standby.get(id);
      if (!member || !kept) continue;
      const together = [...new Set([...kept.layers, ...layers])].sort((a, b) => a - b);
      const fits = together.length <= blocksThatFit(member, manifest, contextLength);
      if (fits || !kept.isLoaded) kept.layers = together;
    }
  return standby;
}
