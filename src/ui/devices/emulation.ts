/** A slowed link in words and in a form's terms. */
import type { LinkEmulation } from '../../transport/index.ts';
import { formatMbps, formatMs, formatPercent } from '../format.ts';

/** As the form holds it: loss in percent, and an empty bandwidth for none. */
export interface EmulationFields {
  delayMs: number | null;
  jitterMs: number | null;
  lossPercent: number | null;
  mbps: number | null;
}

/** "20.0 ms more, 50.0 Mbit/s at most, 1 % lost". */
export function emulationText({ delayMs, jitterMs, lossRate, mbps }: LinkEmulation): string {
  const jitter = jitterMs > 0 ? ` ± ${formatMs(jitterMs)}` : '';
  return [
    ...(delayMs > 0 || jitterMs > 0 ? [`${formatMs(delayMs)}${jitter} more`] : []),
    ...(mbps === undefined ? [] : [`${formatMbps(mbps)} at most`]),
    ...(lossRate > 0 ? [`${formatPercent(lossRate)} lost`] : []),
  ].join(', ');
}

export function fieldsOf(emulation: LinkEmulation | null): EmulationFields {
  if (!emulation) return { delayMs: 0, jitterMs: 0, lossPercent: 0, mbps: null };
  const { delayMs, jitterMs, lossRate, mbps } = emulation;
  return { delayMs, jitterMs, lossPercent: lossRate * 100, mbps: mbps ?? null };
}

/** What the fields ask for; null when that is a link as it is. Numbers are brought inside their bounds. */
export function emulationOf(fields: EmulationFields): LinkEmulation | null {
  const delayMs = bounded(fields.delayMs, 2000);
  const jitterMs = bounded(fields.jitterMs, 1000);
  const lossRate = bounded(fields.lossPercent, 50) / 100;
  const mbps = bounded(fields.mbps, 10_000);
  if (delayMs === 0 && jitterMs === 0 && lossRate === 0 && mbps === 0) return null;
  return { delayMs, jitterMs, lossRate, ...(mbps > 0 && { mbps }) };
}

function bounded(value: number | null, most: number): number {
  if (value === null || Number.isNaN(value)) return 0;
  return Math.min(most, Math.max(0, value));
}
