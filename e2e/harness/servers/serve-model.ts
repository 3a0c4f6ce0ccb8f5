/** A running server, and the model that a room on it is to open. */
import { access, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ensureModel } from '../../../src/convert/fetching/fetch-model.ts';
import { findInCatalogue } from '../../../src/model/catalogue.ts';
import { withFileLock } from '../../../src/server/file-lock.ts';
import { startServer } from '../../../src/server/server.ts';
import { startLocalHub, type LocalHub } from './local-hub.ts';
import { modelCacheDir, projectDir, shardsDir } from '../project.ts';
import type { ModelChoice } from '../../../src/room/index.ts';

export interface ServedModel {
  origin: string;
  model: ModelChoice;
  /** The hub on this machine that has the model's files as they are; null where it comes another way. */
  hub: LocalHub | null;
  close(): Promise<void>;
}

/**
 * @param model a catalogue name, a folder of shards, a Hugging Face folder, a `.gguf` file, a hub id or a URL
 * @param hubUrl where hub ids are looked up
 * @throws one sentence when it is none of these
 */
export async function serveModel(
  model: string,
  say: (step: string) => void,
  hubUrl?: string,
): Promise<ServedModel> {
  if (/^https?:\/\//.test(model))
    return serveApp({ kind: 'url', url: model }, [new URL(model).origin], say);
  const kind = await kindOf(model);
  switch (kind) {
    case 'file':
    case 'folder':
      return serveOwnFiles(resolve(model), kind, say);
    case 'shards':
      return serveShards(resolve(model), say);
    case 'nothing':
      if (findInCatalogue(model)) return serveShards(await catalogueFolder(model, say), say);
      if (!/^[\w.-]+\/[\w./-]+(:[\w.-]+)?$/.test(model))
        throw new Error(`There is no model, folder or file called ${model}.`);
      return serveApp(
        { kind: 'hub', id: model, accessToken: null, ...(hubUrl !== undefined && { hubUrl }) },
        hubUrl === undefined ? [] : [new URL(hubUrl).origin],
        say,
      );
  }
}

/** Files as they are, from a hub on this machine: the tabs fetch the ranges that they need. */
async function serveOwnFiles(
  path: string,
  kind: 'file' | 'folder',
  say: (step: string) => void,
): Promise<ServedModel> {
  const folder = kind === 'file' ? dirname(path) : path;
  const id = `local/${basename(folder).replace(/[^\w.-]/g, '-')}`;
  const hub = await startLocalHub({ models: new Map([[id, folder]]) });
  const model: ModelChoice =
    kind === 'folder'
      ? { kind: 'hub', id, accessToken: null, hubUrl: hub.origin }
      : {
          kind: 'url',
          url: `${hub.origin}/${id}/resolve/main/${encodeURIComponent(basename(path))}`,
        };
  const served = await serveApp(model, [hub.origin], say);
  return {
    ...served,
    hub,
    async close() {
      await served.close();
      await hub.close();
    },
  };
}

async function serveShards(folder: string, say: (step: string) => void): Promise<ServedModel> {
  const server = await startServer({ projectDir, shardsDir: dirname(folder), onStep: say });
  return {
    origin: server.httpOrigin,
    model: { kind: 'shards', manifestUrl: `shards/${basename(folder)}/manifest.json` },
    hub: null,
    close: () => server.close(),
  };
}

async function serveApp(
  model: ModelChoice,
  connectSources: string[],
  say: (step: string) => void,
): Promise<ServedModel> {
  const server = await startServer({ projectDir, connectSources, onStep: say });
  return { origin: server.httpOrigin, model, hub: null, close: () => server.close() };
}

async function catalogueFolder(name: string, say: (step: string) => void): Promise<string> {
  let saidPercent = -10;
  const manifest = await withFileLock(join(modelCacheDir, 'fetch.lock'), () =>
    ensureModel(name, {
      shardsDir,
      cacheDir: modelCacheDir,
      onProgress({ stage, bytes, totalBytes }) {
        const percent = Math.floor((100 * bytes) / totalBytes);
        if (percent < saidPercent + 10 && percent >= saidPercent) return;
        saidPercent = percent;
        say(`${stage} ${name}: ${percent} %`);
      },
    }),
  );
  return dirname(manifest);
}

async function kindOf(path: string): Promise<'shards' | 'folder' | 'file' | 'nothing'> {
  const found = await stat(path).catch(() => null);
  if (!found) return 'nothing';
  if (!found.isDirectory()) return 'file';
  const isCut = await access(join(path, 'manifest.json')).then(
    () => true,
    () => false,
  );
  return isCut ? 'shards' : 'folder';
}
