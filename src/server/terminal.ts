/** What `npm start` shows: progress while it prepares, then where the room is to be found. */
import { renderUnicodeCompact } from 'uqr';
import type { ModelProgress } from '../convert/fetching/fetch-model.ts';
import { certificatePath } from './certificate-page.ts';
import type { RunningServer } from './server.ts';

const doing: Record<ModelProgress['stage'], string> = {
  downloading: 'Fetching the model',
  unpacking: 'Unpacking it',
  cutting: 'Cutting it into shards',
  recording: 'Recording golden states',
};

const barCells = 30;
/** Without a terminal to redraw, a line for every quarter. */
const plainSteps = 4;

export interface ProgressLine {
  show(progress: ModelProgress): void;
  end(): void;
}

/** A bar that redraws itself on a terminal, and a few plain lines anywhere else. */
export function progressLine(output: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>): ProgressLine {
  let shown: string | null = null;
  return {
    show: ({ stage, bytes, totalBytes }) => {
      const fraction = totalBytes > 0 ? Math.min(1, bytes / totalBytes) : 0;
      const line = output.isTTY
        ? bar(doing[stage], fraction, totalBytes)
        : `${doing[stage]}: ${(Math.floor(fraction * plainSteps) * 100) / plainSteps} %`;
      if (line === shown) return;
      shown = line;
      output.write(output.isTTY ? `\r\u001B[K${line}` : `${line}\n`);
    },
    end: () => {
      if (output.isTTY && shown !== null) output.write('\n');
      shown = null;
    },
  };
}

function bar(label: string, fraction: number, totalBytes: number): string {
  const full = Math.round(fraction * barCells);
  const percent = String(Math.floor(fraction * 100)).padStart(3);
  const megabytes = (totalBytes / 1e6).toFixed(0);
  return `${label.padEnd(23)} ${'█'.repeat(full)}${'░'.repeat(barCells - full)} ${percent} % of ${megabytes} MB`;
}

/**
 * Addresses, the QR code of the likeliest one, and what to do about the warning. `colour` draws the code
 * white on black whatever the terminal's own colours are: inverted, many cameras do not read it.
 */
export function banner(
  { httpOrigin, lanOrigins, certificate }: RunningServer,
  { colour }: { colour: boolean },
): string {
  const [likeliest, ...others] = lanOrigins;
  const lines = ['', `  On this machine:   ${httpOrigin}`];
  if (lanOrigins.length === 0) {
    lines.push('  No network here:   connect to one and start again, so that others can join.');
    return lines.join('\n');
  }
  lines.push(`  On other devices:  ${likeliest}`);
  lines.push(...others.map((origin) => `                     ${origin}`));
  lines.push('', qrCode(likeliest, colour));
  if (certificate.authority)
    lines.push(
      '',
      `  Other devices warn about the certificate once. Continue past the warning, or see ${likeliest}${certificatePath}`,
      `  Its fingerprint (SHA-256):`,
      ...fingerprintLines(certificate.authority.fingerprint256),
    );
  lines.push('', '  Ctrl+C ends it.', '');
  return lines.join('\n');
}

function fingerprintLines(fingerprint: string): string[] {
  const pairs = fingerprint.split(':');
  const half = pairs.length / 2;
  return [pairs.slice(0, half), pairs.slice(half)].map((part) => `    ${part.join(':')}`);
}

function qrCode(text: string, colour: boolean): string {
  const [on, off] = colour ? ['\u001B[97;40m', '\u001B[0m'] : ['', ''];
  return renderUnicodeCompact(text, { border: 2 })
    .split('\n')
    .map((line) => `  ${on}${line}${off}`)
    .join('\n');
}
