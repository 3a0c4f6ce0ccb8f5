/** `npm start`: fetches the model once, builds what is needed, serves it to the room. */
import { errorMessage } from '../base/error-message.ts';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureModel } from '../convert/fetching/fetch-model.ts';
import { withFileLock } from './file-lock.ts';
import { defaultHttpsPort, defaultPort, help, parseOptions, type StartOptions } from './options.ts';
import { startServer, type RunningServer } from './server.ts';
import { banner, progressLine } from './terminal.ts';

const projectDir = fileURLToPath(new URL('../..', import.meta.url));

const command = parseOptions(process.argv.slice(2));
switch (command.kind) {
  case 'help':
    console.log(help);
    break;
  case 'refused':
    console.error(command.reason);
    process.exit(2);
    break;
  case 'start':
    try {
      await fetchModel(command.options.model);
      const server = await serve(command.options);
      console.log(banner(server, { colour: process.stdout.isTTY }));
      endOnSignal(server);
    } catch (error) {
      console.error(errorMessage(error));
      process.exit(1);
    }
    break;
}

async function fetchModel(name: string): Promise<void> {
  const cacheDir = join(projectDir, '.cache/models');
  const progress = progressLine(process.stdout);
  await withFileLock(join(cacheDir, 'fetch.lock'), () =>
    ensureModel(name, {
      shardsDir: join(projectDir, 'shards'),
      cacheDir,
      onProgress: (done) => progress.show(done),
    }),
  );
  progress.end();
}

function serve(options: StartOptions): Promise<RunningServer> {
  const { port, httpsPort, certificate } = options;
  return startServer({
    projectDir,
    httpPort: port === null ? { from: defaultPort } : { exactly: port },
    httpsPort: httpsPort === null ? { from: defaultHttpsPort } : { exactly: httpsPort },
    ...(certificate && { certificate }),
    build: options.build,
    relay: options.relay,
    connectSources: options.connectSources,
    allowedOrigins: options.allowedOrigins,
    onStep: (sentence) => console.log(sentence),
  });
}

function endOnSignal(server: RunningServer): void {
  const end = (): void => {
    void server.close().finally(() => process.exit(0));
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}
