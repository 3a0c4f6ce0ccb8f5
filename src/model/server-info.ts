/** What the server behind `npm start` states about itself at `api/info`. A static host has no such file. */
import * as v from 'valibot';

const origin = v.pipe(v.string(), v.url(), v.maxLength(512));

export const ServerInfoSchema = v.object({
  version: v.string(),
  /** HTTPS origins at which other devices can reach the server, most likely first. */
  lanOrigins: v.array(origin),
  models: v.array(
    v.object({
      name: v.string(),
      title: v.string(),
      licence: v.string(),
      /** Relative to the app's own address, such as `shards/stories15M/manifest.json`. */
      manifestPath: v.string(),
      /** The sum of all its files. */
      bytes: v.number(),
    }),
  ),
});

/**
 * What the server states at `api/ice`: the relay (TURN) through which a page's connections may go if nothing
 * else works.
 */
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
