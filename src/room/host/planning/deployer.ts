/** Deploys plans: has every device of a lap load its layers, and waits until all of them have. */
import { devicesOf, type Lap } from '../../lap.ts';
import type { Member } from '../membership/index.ts';
import type { LayerSources } from '../weights/index.ts';
import type { FeasibleRoomPlan } from './proposals/index.ts';

export interface DeployerOptions {
  members: ReadonlyMap<string, Member>;
  /** Has the host load its own layers. */
  prepareHost: (lap: Lap, dropFirst: boolean) => Promise<void>;
  /** Where the layers of a device lie in the room already. */
  sourcesOf: (lap: Lap, deviceId: string) => LayerSources[];
  /** A device could not load what it was given. */
  exclude: (member: Member, reason: string) => void;
}

export interface Deployer {
  /** Whether any lap has been deployed to the end. */
  readonly hasEverDeployed: boolean;
  /** Rejects with a sentence when a device of the lap cannot load its layers, or leaves. */
  deploy(lap: Lap, plan: FeasibleRoomPlan, dropFirst: boolean): Promise<void>;
  /** The device has loaded its layers. */
  ready(member: Member, planVersion: number): void;
  /** The device could not load its layers. */
  unable(member: Member, planVersion: number, reason: string): void;
  /** Its layers are not waited for any more; `how` says what became of it: that it `left`, say. */
  lost(member: Member, how: string): void;
}

/**
 * A device that loads says so several times a second, and between two blocks it is silent while its engine builds the
 * next: seconds, on a phone. This is far more.
 */
export const longestSilenceMs = 120_000;
const lookEveryMs = 5000;

export function createDeployer(options: DeployerOptions): Deployer {
  let hasEverDeployed = false;
  let waiting: {
    planVersion: number;
    devices: Map<string, { resolve: () => void; reject: (error: Error) => void }>;
  } = { planVersion: 0, devices: new Map() };

  function prepare(
    id: string,
    lap: Lap,
    { lapMs, why }: FeasibleRoomPlan,
    dropFirst: boolean,
  ): Promise<void> {
    if (id === 'host') return options.prepareHost(lap, dropFirst);
    const link = options.members.get(id)?.link;
    if (!link) return Promise.reject(new Error(`Device ${id} is no longer here.`));
    return new Promise((resolve, reject) => {
      waiting.devices.set(id, { resolve, reject });
      const { planVersion, stages } = lap;
      for (const source of options.sourcesOf(lap, id))
        link.sendControl({ kind: 'layer-sources', ...source });
      link.sendControl({ kind: 'deploy', planVersion, stages: [...stages], lapMs, why, dropFirst });
    });
  }

  /** Gives up on devices of which nothing is heard, so that none holds up the room for ever. */
  function watch(): () => void {
    const { planVersion, devices } = waiting;
    const startedAt = performance.now();
    const timer = setInterval(() => {
      for (const id of devices.keys()) {
        const member = options.members.get(id);
        if (!member) continue;
        const silentMs = performance.now() - Math.max(startedAt, member.toldStatusAt);
        if (silentMs > longestSilenceMs)
          unable(member, planVersion, `It said nothing of its layers for ${seconds(silentMs)} s.`);
      }
    }, lookEveryMs);
    return () => clearInterval(timer);
  }

  function unable(member: Member, planVersion: number, reason: string): void {
    if (planVersion !== waiting.planVersion) return;
    const device = waiting.devices.get(member.id);
    waiting.devices.delete(member.id);
    options.exclude(member, reason);
    device?.reject(new Error(reason));
  }

  return {
    get hasEverDeployed() {
      return hasEverDeployed;
    },
    async deploy(lap, plan, dropFirst) {
      waiting = { planVersion: lap.planVersion, devices: new Map() };
      const stopWatching = watch();
      try {
        await Promise.all([...devicesOf(lap)].map((id) => prepare(id, lap, plan, dropFirst)));
      } finally {
        stopWatching();
      }
      hasEverDeployed = true;
    },
    ready(member, planVersion) {
      if (planVersion !== waiting.planVersion) return;
      waiting.devices.get(member.id)?.resolve();
      waiting.devices.delete(member.id);
    },
    unable,
    lost(member, how) {
      waiting.devices.get(member.id)?.reject(new Error(`${member.label} ${how}.`));
    },
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
