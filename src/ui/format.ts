const space = '\u00a0';
const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Decimal units: 60816028 is "60.8 MB". */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  let value = bytes;
  let unit = 0;
  while (unit < byteUnits.length - 1 && roundedTo3(value) >= 1000) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value.toFixed(0) : trimmed(short(value))}${space}${byteUnits[unit]}`;
}

/** Below a second in ms, from there on in seconds. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const rounded = roundedTo3(ms);
  return rounded >= 1000 ? `${short(rounded / 1000)}${space}s` : `${short(ms)}${space}ms`;
}

/** As a person would say it: "42 s", "3 min", "2 h". */
export function formatDuration(ms: number): string {
  if (ms < 90_000) return `${Math.round(ms / 1000)}${space}s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)}${space}min`;
  return `${Math.round(ms / 3600_000)}${space}h`;
}

export function formatTokensPerSecond(msPerToken: number): string {
  if (!(msPerToken > 0)) return '–';
  return `${short(1000 / msPerToken)}${space}tokens/s`;
}

export function formatMbps(mbps: number): string {
  if (!Number.isFinite(mbps)) return '–';
  return mbps >= 1000 ? `${short(mbps / 1000)}${space}Gbit/s` : `${short(mbps)}${space}Mbit/s`;
}

/** A share of a whole, never rounded up to 100 % before it is complete. */
export function formatPercent(fraction: number): string {
  const percent = Math.floor(Math.min(1, Math.max(0, fraction)) * 100 + 1e-9);
  return `${percent}${space}%`;
}

const days = new Intl.RelativeTimeFormat('en-GB', { numeric: 'auto' });

/** "today", "yesterday", "12 days ago": by spans of 24 hours. */
export function formatDaysAgo(ms: number): string {
  return days.format(-Math.floor(Math.max(0, ms) / 86_400_000), 'day');
}

/** One decimal below 100 and two below 1, kept even when zero: figures that change should not jump. */
function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 1 || value === 0 ? 1 : 2);
}

function trimmed(text: string): string {
  return text.replace(/\.0+$/, '');
}

function roundedTo3(value: number): number {
  return Number(value.toPrecision(3));
}
