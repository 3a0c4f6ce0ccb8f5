/** Every state of every screen, by name: `?gallery=NAME` shows one of them. */
import { staticHost, type ServerInfo } from '../server-info.ts';
import { deviceScenes } from './device-scenes.ts';
import { hostScenes } from './host-scenes.ts';
import type { Scenes } from './scene.ts';

const day = 86_400_000;

const served: ServerInfo = {
  version: '0.1.0',
  models: [
    ...staticHost.models,
    {
      name: 'tinyllama-chat',
      title: 'TinyLlama 1.1B Chat',
      licence: 'Apache-2.0',
      manifestPath: 'shards/tinyllama-chat/manifest.json',
      bytes: 322_591_712,
    },
  ],
  lanOrigins: ['https://192.168.1.20:8443'],
};

export const scenes: Scenes = {
  start: { kind: 'start', server: served, modelName: null, problem: '' },
  'start-static': { kind: 'start', server: staticHost, modelName: null, problem: '' },
  'start-asking': { kind: 'start', server: null, modelName: null, problem: '' },
  'start-from-web': { kind: 'start', server: served, modelName: 'a/b', problem: '' },
  'start-unknown-model': { kind: 'start', server: served, modelName: 'gpt-9', problem: '' },
  storage: {
    kind: 'storage',
    nowMs: 100 * day,
    usage: {
      models: [
        { id: 'old', title: 'A model of an earlier visit', bytes: 4_100_000, lastUsedMs: 0 },
        { id: 'm', title: 'MiniMind2 Small', bytes: 52_000_000, lastUsedMs: 88 * day },
        { id: 's', title: 'Stories 15M', bytes: 60_816_000, lastUsedMs: 100 * day },
      ],
      bytes: 116_916_000,
      limitBytes: 4_000_000_000,
    },
  },
  'storage-empty': {
    kind: 'storage',
    nowMs: 0,
    usage: { models: [], bytes: 0, limitBytes: 5_368_709_120 },
  },
  'storage-refused': { kind: 'storage', nowMs: 0, usage: null },
  'broken-link': { kind: 'broken-link' },
  live: { kind: 'live' },
  parts: { kind: 'parts' },
  ...hostScenes,
  ...deviceScenes,
};
