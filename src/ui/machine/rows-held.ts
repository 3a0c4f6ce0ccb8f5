/** Who holds each row of the model, as runs of neighbouring rows: what the model's scale draws. */
import type { DeviceView, PlanView, RowRange } from '../../room/view.ts';

export interface RowRun extends RowRange {
  /** Null where no device holds the rows yet. */
  device: string | null;
  /** 0 to 1: how much of the rows is on the device. */
  loaded: number;
}

/**
 * The plan says whose a row is; without one, what the devices hold. A row planned for a device that is
 * still loading is as far as that device's loading is, unless it already holds the row.
 */
export function rowRuns(
  modelRows: number,
  plan: PlanView | null,
  devices: readonly DeviceView[],
): RowRun[] {
  const runs: RowRun[] = [];
  for (let row = 0; row < modelRows; row++) {
    const device = plan ? plannedHolder(row, plan) : currentHolder(row, devices);
    const planRuns = plan?.status === 'running';
    const loaded = device === null ? 0 : loadedFraction(row, device, devices, planRuns);
    const previous = runs.at(-1);
    if (previous && previous.device === device && previous.loaded === loaded) previous.last = row;
    else runs.push({ device, first: row, last: row, loaded });
  }
  return runs;
}

function plannedHolder(row: number, plan: PlanView): string | null {
  return plan.stages.find((stage) => holds([stage], row))?.device ?? null;
}

function currentHolder(row: number, devices: readonly DeviceView[]): string | null {
  return devices.find((device) => holds(device.rows, row))?.id ?? null;
}

function loadedFraction(
  row: number,
  id: string,
  devices: readonly DeviceView[],
  planRuns: boolean,
): number {
  const device = devices.find((candidate) => candidate.id === id);
  // A device's own screen knows the plan but not the other devices: those it takes at the plan's word.
  if (!device) return planRuns ? 1 : 0;
  if (holds(device.rows, row)) return 1;
  const { status } = device;
  if (status.kind !== 'loading' || status.bytesTotal === 0) return 0;
  return Math.min(1, status.bytesLoaded / status.bytesTotal);
}

function holds(ranges: readonly RowRange[], row: number): boolean {
  return ranges.some(({ first, last }) => first <= row && row <= last);
}

/** What a visitor calls a row: the embedding, a layer by its number from 1, the head. */
export function rowName(row: number, modelRows: number): string {
  if (row === 0) return 'embed';
  return row === modelRows - 1 ? 'head' : String(row);
}
