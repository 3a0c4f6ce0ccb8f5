/** The LAN server: the app, the shards and signalling, over HTTPS for the room and http for this machine. */
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { indexApp } from './app-files.ts';
import { buildApp } from './build-app.ts';
import { certificatePage } from './certificate-page.ts';
import { keptCertificate, ownCertificate, type ServerCertificate } from './certificate.ts';
import { withFileLock } from './file-lock.ts';
import { hostNames, lanAddresses, urlHost } from './lan-addresses.ts';
import { listen, type PortChoice } from './listen.ts';
import { modelLister } from './model-list.ts';
import { startRelay, type Relay } from './relay.ts';
import { routes } from './routes.ts';
import { shardFinder } from './shard-files.ts';
import { createSignalling } from './signalling.ts';

export interface ServerOptions {
  /** Where the project lies; the folders below are found in it unless given. */
  projectDir?: string;
  distDir?: string;
  shardsDir?: string;
  /** Compressed copies of the app; may be deleted at any time. */
  cacheDir?: string;
  /** The kept certificate. */
  stateDir?: string;
  /** Default: whichever ports are free. */
  httpPort?: PortChoice;
  httpsPort?: PortChoice;
  /** A certificate of one's own, PEM files, instead of the kept one. */
  certificate?: { certFile: string; keyFile: string };
  /** False: no relay for devices that their network keeps apart. */
  relay?: boolean;
  /** False serves `distDir` as it is. Default: build when the sources have changed. */
  build?: boolean;
  /** Further origins that pages may fetch from or open sockets to. */
  connectSources?: readonly string[];
  /** Origins of apps served elsewhere that may use this server's signalling. */
  allowedOrigins?: readonly string[];
  /** Told, in a sentence, what is being done where it may take seconds. Quiet by default. */
  onStep?: (sentence: string) => void;
}

export interface RunningServer {
  /** `http://localhost:…`: a secure context, and on this machine only. */
  httpOrigin: string;
  /** `https://localhost:…`; other devices reach the same listener under `lanOrigins`. */
  httpsOrigin: string;
  /** HTTPS origins for other devices, likeliest first. */
  lanOrigins: string[];
  certificate: ServerCertificate;
  /**
   * Ends every connection and frees the ports. PeerServer keeps two timers that nothing can stop, so a
   * command that is done ends with `process.exit`.
   */
  close(): Promise<void>;
}

/** Where models are found by name, and where that hub's files lie when it sends a page there. */
const publicHub = ['https://huggingface.co', 'https://*.huggingface.co', 'https://*.hf.co'];

const defaultProjectDir = fileURLToPath(new URL('../..', import.meta.url));

/** Of both listeners each: a class of phones opens about six for each tab. */
const maxConnections = 1024;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
/** A reader that takes nothing for this long has gone. */
const idleTimeoutMs = 120_000;

/** Starts both listeners. Throws a sentence for a build that fails, a certificate or a port that will not do. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const projectDir = options.projectDir ?? defaultProjectDir;
  const distDir = options.distDir ?? join(projectDir, 'dist');
  const shardsDir = options.shardsDir ?? join(projectDir, 'shards');
  const cacheDir = options.cacheDir ?? join(projectDir, '.cache');
  const copiesDir = join(cacheDir, 'served');

  const certificate = options.certificate
    ? await ownCertificate(options.certificate.certFile, options.certificate.keyFile)
    : await keptCertificate(options.stateDir ?? join(projectDir, '.edgeshard'), [
        ...hostNames(),
        '127.0.0.1',
        '::1',
        ...lanAddresses(),
      ]);

  const app = await withFileLock(join(cacheDir, 'build.lock'), async () => {
    if (options.build !== false)
      await buildApp(projectDir, distDir, () => options.onStep?.('Building the app …'));
    return indexApp(distDir, copiesDir);
  });

  const allowedOrigins = options.allowedOrigins ?? [];
  const signalling = createSignalling({ allowedOrigins });
  const http = createHttpServer();
  const https = createHttpsServer({ cert: certificate.chain, key: certificate.key });
  const listeners = [http, https];
  listeners.forEach(limit);
  const version = await readVersion(projectDir);
  const listModels = modelLister(shardsDir);

  let relay: Relay | null = null;
  const close = async (): Promise<void> => {
    signalling.close();
    relay?.close();
    await Promise.all(listeners.map(closeListener));
  };
  try {
    const httpPort = await listen(http, options.httpPort ?? 'any', ['127.0.0.1']);
    const httpsPort = await listen(https, options.httpsPort ?? 'any', ['::', '0.0.0.0']);
    relay = options.relay === false ? null : await startRelay(httpsPort);
    const lanOrigins = lanHosts(certificate).map((host) => `https://${urlHost(host)}:${httpsPort}`);
    const site = {
      app,
      findShardFile: shardFinder(shardsDir, copiesDir),
      info: async () => ({ version, lanOrigins, models: (await listModels()).models }),
      relay,
      certificatePage: certificatePage(certificate, lanOrigins),
      signalling,
      connectSources: [...publicHub, ...(options.connectSources ?? [])],
      allowedOrigins,
    };
    for (const listener of listeners) {
      listener.on('request', routes(site, listener === https));
      listener.on('upgrade', (request, socket, head) =>
        signalling.handleUpgrade(request, socket, head),
      );
    }
    return {
      httpOrigin: `http://localhost:${httpPort}`,
      httpsOrigin: `https://localhost:${httpsPort}`,
      lanOrigins,
      certificate,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A certificate of one's own is good for the names in it; the kept one carries this machine's addresses. */
function lanHosts({ authority, names }: ServerCertificate): string[] {
  const given = authority ? [] : names.filter((name) => !isIP(name) && !name.includes('*'));
  return [...given, ...lanAddresses()];
}

function limit(listener: Server): void {
  listener.maxConnections = maxConnections;
  listener.headersTimeout = headersTimeoutMs;
  listener.requestTimeout = requestTimeoutMs;
  listener.setTimeout(idleTimeoutMs);
}

async function closeListener(listener: Server): Promise<void> {
  if (!listener.listening) return;
  await new Promise<void>((resolve) => {
    listener.close(() => resolve());
    listener.closeAllConnections();
  });
}

async function readVersion(projectDir: string): Promise<string> {
  const description: unknown = JSON.parse(await readFile(join(projectDir, 'package.json'), 'utf8'));
  const named = typeof description === 'object' && description !== null && 'version' in description;
  return named ? String(description.version) : 'unknown';
}
