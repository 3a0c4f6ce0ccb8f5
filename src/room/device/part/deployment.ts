/** Brings the layers of a lap onto this device, and lets go of those that no lap needs any more. */
import { errorMessage } from '../../../base/error-message.ts';
import type { ComputingDevice } from '../../compute/index.ts';
import { checkStages, type Lap } from '../../lap.ts';
import type { DeviceMessage, Handlers, HostMessage, MessageOf } from '../../protocol/index.ts';
import type { PlanView } from '../../view.ts';
import type { ViewStore } from '../../view-store.ts';
import type { Holdings } from './holdings.ts';
import type { StatusReporter } from './status-reporter.ts';

export interface DeploymentOptions {
  device: Pick<ComputingDevice, 'prepare' | 'keepLaps' | 'keepStandby' | 'lapLayers'>;
  layerCount: number;
  holdings: Holdings;
  reporter: StatusReporter;
  /** Shows the plan. */
  store: Pick<ViewStore, 'update'>;
  tell: (message: DeviceMessage) => void;
  /** Other laps run than before. */
  onLapsChanged: () => void;
  /** Whether another engine takes this one's place, since this one computed wrongly. */
  isReplacedFor: (error: unknown) => boolean;
}

export type DeploymentHandlers = Pick<
  Handlers<HostMessage>,
  'deploy' | 'keep-laps' | 'keep-standby'
>;

export function createDeployment(options: DeploymentOptions): DeploymentHandlers {
  const { device, holdings, reporter, store, tell } = options;
  const plans = new Map<number, PlanView>();
  let assigned: Lap | null = null;

  async function load(lap: Lap, dropFirst: boolean): Promise<void> {
    assigned = lap;
    try {
      await device.prepare(lap, dropFirst, (bytesLoaded, bytesTotal) =>
        reporter.set({ kind: 'loading', bytesLoaded, bytesTotal }),
      );
    } catch (error) {
      if (assigned === lap && !options.isReplacedFor(error)) fail(lap, errorMessage(error));
      return;
    }
    holdings.show();
    if (assigned !== lap) return;
    holdings.settle();
    tell({ kind: 'ready', planVersion: lap.planVersion });
  }

  function fail({ planVersion }: Lap, reason: string): void {
    reporter.set({ kind: 'failed', reason });
    tell({ kind: 'unable', planVersion, reason: reason.slice(0, 500) });
  }

  async function keepLaps(planVersions: number[]): Promise<void> {
    await device.keepLaps(new Set(planVersions));
    options.onLapsChanged();
    const newest = Math.max(...planVersions);
    const plan = plans.get(newest);
    if (plan) store.update({ plan: { ...plan, status: 'running' } });
    for (const planVersion of plans.keys()) if (planVersion < newest) plans.delete(planVersion);
    holdings.show();
    holdings.settle();
  }

  async function keepStandby({
    layers,
    isLoaded,
  }: MessageOf<HostMessage, 'keep-standby'>): Promise<void> {
    try {
      await device.keepStandby(layers, isLoaded);
    } catch {
      // It was only in case: a plan that needs these layers says what is wrong with them.
    }
    holdings.show();
    if (device.lapLayers.length === 0) holdings.settle();
  }

  return {
    deploy({ planVersion, stages, dropFirst, lapMs: predictedMsPerToken, why }) {
      checkStages(stages, options.layerCount);
      plans.set(planVersion, { planVersion, stages, predictedMsPerToken, why, status: 'loading' });
      void load({ planVersion, stages }, dropFirst);
    },
    'keep-laps': ({ planVersions }) => void keepLaps(planVersions),
    'keep-standby': (message) => void keepStandby(message),
  };
}
