/** Asks the person's own npm for the address of a package, so that their registry and proxy settings apply. */
import { errorMessage } from '../../base/error-message.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as v from 'valibot';

export interface Tarball {
  /** Its addresses, most likely first. */
  urls: string[];
  /** Subresource integrity, e.g. `sha512-…`. */
  integrity: string;
}

const DistSchema = v.object({
  'dist.tarball': v.pipe(v.string(), v.url()),
  'dist.integrity': v.pipe(v.string(), v.regex(/^sha(256|384|512)-[A-Za-z0-9+/=]+$/)),
});

export async function findTarball(name: string, version: string): Promise<Tarball> {
  const spec = `${name}@${version}`;
  const [output, registry] = await Promise.all([
    npm(['view', spec, 'dist.tarball', 'dist.integrity', '--json']),
    npm(['config', 'get', 'registry']),
  ]);
  const result = v.safeParse(DistSchema, parseJson(output));
  if (!result.success)
    throw new Error(`npm knows no package ${spec}; check the registry that npm is set to use`);
  const { 'dist.tarball': tarball, 'dist.integrity': integrity } = result.output;
  return { urls: [...new Set([tarball, throughRegistry(tarball, registry.trim())])], integrity };
}

/** A mirror often lists the addresses of the registry that it mirrors. This is the same path on the mirror. */
function throughRegistry(tarball: string, registry: string): string {
  if (!URL.canParse(registry)) return tarball;
  const { origin, pathname } = new URL(registry);
  return `${origin}${pathname.replace(/\/$/, '')}${new URL(tarball).pathname}`;
}

const run = promisify(execFile);

async function npm(args: string[]): Promise<string> {
  // Under `npm run`, npm states its own path; otherwise the npm on PATH is used.
  const script = process.env['npm_execpath'];
  const viaNode = script !== undefined && /npm-cli\.js$/.test(script);
  const [command, ...first] = viaNode
    ? [process.execPath, script]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  try {
    const { stdout } = await run(command, [...first, ...args], {
      shell: !viaNode && process.platform === 'win32',
    });
    return stdout;
  } catch (error) {
    const reason = errorMessage(error);
    throw new Error(
      `npm could not answer "npm ${args.join(' ')}"; is this computer online? (${reason.trim()})`,
      { cause: error },
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
