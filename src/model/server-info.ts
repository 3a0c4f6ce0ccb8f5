/** What a server behind `npm start` says about itself at `api/info`; a static host has no such file. */
import * as v from 'valibot';

const origin = v.pipe(v.string(), v.url(), v.maxLength(512));

export const ServerInfoSchema = v.object({
  version: v.string(),
  /** HTTPS origins under which other devices reach the server, likeliest first. */
  lanOrigins: v.array(origin),
  models: v.array(
    v.object({
      name: v.string(),
      title: v.string(),
      licence: v.string(),
      /** Relative to the app's own address, e.g. `shards/stories15M/manifest.json`. */
      manifestPath: v.string(),
      /** Of all its files together. */
      bytes: v.number(),
    }),
  ),
});

/** What the server gives a page's connections at `api/ice`: by which relay they may go where nothing else works. */
export const IceInfoSchema = v.object({
  iceServers: v.pipe(
    v.array(
      v.object({
        urls: v.pipe(v.string(), v.regex(/^turn:[0-9.]+:[0-9]+\?transport=udp$/)),
        username: v.pipe(v.string(), v.maxLength(128)),
        credential: v.pipe(v.string(), v.maxLength(128)),
      }),
    ),
    v.maxLength(4),
  ),
});

export type IceServer = v.InferOutput<typeof IceInfoSchema>['iceServers'][number];
export type ServerInfo = v.InferOutput<typeof ServerInfoSchema>;
