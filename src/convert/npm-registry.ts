/** Asks the person's own npm where a package lies, so that their registry and proxy settings hold. */
import { errorMessage } from '../base/error-message.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as v from 'valibot';

export interface Tarball {
  /** Where it may be fetched from, most likely first. */
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

/** A mirror often repeats the addresses of the registry it mirrors: the same path on the mirror itself. */
function throughRegistry(tarball: string, registry: string): string {
  if (!URL.canParse(registry)) return tarball;
  const { origin, pathname } = new URL(registry);
  return `${origin}${pathname.replace(/\/$/, '')}${new URL(tarball).pathname}`;
}

const run = promisify(execFile);

async function npm(args: string[]): Promise<string> {
  // Under `npm run`, npm says where it is itself; else the one on the path serves.
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
