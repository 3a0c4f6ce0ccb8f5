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
 * still loading is as far as that device's loading is, unless it already holds the row. A device that is
 * not listed has gone; but where not every device is known, it is taken at the plan's word.
 */
export function rowRuns(
  modelRows: number,
  plan: PlanView | null,
  devices: readonly DeviceView[],
  knowsEveryDevice = true,
): RowRun[] {
  const runs: RowRun[] = [];
  for (let row = 0; row < modelRows; row++) {
    const device = plan ? plannedHolder(row, plan) : currentHolder(row, devices);
    const loaded = device === null ? 0 : loadedFraction(row, device, devices, knowsEveryDevice);
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
  knowsEveryDevice: boolean,
): number {
  const device = devices.find((candidate) => candidate.id === id);
  if (!device) return knowsEveryDevice ? 0 : 1;
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
