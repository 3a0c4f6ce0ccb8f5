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

export type ServerInfo = v.InferOutput<typeof ServerInfoSchema>;
