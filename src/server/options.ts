/** What `npm start` can be told. */
import { errorMessage } from '../base/error-message.ts';
import { parseArgs } from 'node:util';
import { defaultModel } from '../model/catalogue.ts';

export interface StartOptions {
  /** Null: the default port, or the next free one. */
  port: number | null;
  httpsPort: number | null;
  certificate: { certFile: string; keyFile: string } | null;
  model: string;
  build: boolean;
  relay: boolean;
  connectSources: string[];
  allowedOrigins: string[];
}

export type Command =
  | { kind: 'start'; options: StartOptions }
  | { kind: 'help' }
  /** One sentence about what is wrong. */
  | { kind: 'refused'; reason: string };

export const defaultPort = 8080;
export const defaultHttpsPort = 8443;

export const help = `Usage: npm start -- [options]

Serves EdgeShard to this machine and to every device in the local network.

  --model NAME         model to have ready (default: ${defaultModel})
  --port N             http port on this machine only (default: ${defaultPort}, or the next free one)
  --https-port N       HTTPS port for the network (default: ${defaultHttpsPort}, or the next free one)
  --cert FILE          certificate of your own, with its chain (PEM) …
  --key FILE           … and its private key (PEM)
  --no-build           serve dist as it is
  --no-relay           no relay (TURN) for devices that their network keeps apart
  --connect ORIGIN     let pages reach this origin too, e.g. a model hub (may be repeated)
  --allow-app ORIGIN   let an app served from there use this signalling (may be repeated)
  --help               show this
`;

export function parseOptions(args: string[]): Command {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        model: { type: 'string', default: defaultModel },
        port: { type: 'string' },
        'https-port': { type: 'string' },
        cert: { type: 'string' },
        key: { type: 'string' },
        'no-build': { type: 'boolean', default: false },
        'no-relay': { type: 'boolean', default: false },
        connect: { type: 'string', multiple: true, default: [] },
        'allow-app': { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return refused(firstSentence(error));
  }
  if (values.help) return { kind: 'help' };

  const port = parsePort(values.port);
  if (port === 'bad') return refused(notAPort('--port', values.port));
  const httpsPort = parsePort(values['https-port']);
  if (httpsPort === 'bad') return refused(notAPort('--https-port', values['https-port']));
  if (port !== null && port === httpsPort)
    return refused(`--port and --https-port must differ; both are ${port}`);

  const { cert, key } = values;
  if ((cert === undefined) !== (key === undefined))
    return refused(
      `--cert and --key go together; --${cert === undefined ? 'cert' : 'key'} is missing`,
    );

  const strange = [...values.connect, ...values['allow-app']].find((text) => !isOrigin(text));
  if (strange !== undefined)
    return refused(`"${strange}" is no origin; one looks like https://example.org`);

  return {
    kind: 'start',
    options: {
      port,
      httpsPort,
      certificate:
        cert !== undefined && key !== undefined ? { certFile: cert, keyFile: key } : null,
      model: values.model,
      build: !values['no-build'],
      relay: !values['no-relay'],
      connectSources: values.connect,
      allowedOrigins: values['allow-app'],
    },
  };
}

function refused(reason: string): Command {
  return { kind: 'refused', reason: `${reason}. Try --help.` };
}

function parsePort(text: string | undefined): number | null | 'bad' {
  if (text === undefined) return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : 'bad';
}

function notAPort(option: string, text = ''): string {
  return `${option} takes a number from 1 to 65535, not "${text}"`;
}

function isOrigin(text: string): boolean {
  return /^(https?|wss?):\/\/[^/\s;,'"]+$/.test(text) && URL.canParse(text);
}

/** parseArgs explains at length, over several sentences. */
function firstSentence(error: unknown): string {
  const message = errorMessage(error);
  return message.split(/\.\s/)[0]?.replace(/\.$/, '') ?? message;
}
