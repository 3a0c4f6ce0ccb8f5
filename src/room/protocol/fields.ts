/** The values that messages of several kinds carry. */
import * as v from 'valibot';

export const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 50));
export const positiveCount = v.pipe(count, v.minValue(1));
export const planVersion = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 32 - 1));
export const layer = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1025));
export const ms = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1e7));
export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
export const deviceId = v.pipe(v.string(), v.regex(/^(host|[a-z]{1,3})$/));
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
export const sentence = v.pipe(v.string(), v.maxLength(500));
export const weights = v.picklist(['f32', 'f16', 'q8', 'q4']);

/** A layer of 3.5 GB, in pieces of 4 MiB; its hashes fit one message. */
const maxPiecesOfLayer = 840;

/** A layer's pieces by their hashes, in order. */
export const pieceHashes = v.pipe(v.array(sha256), v.maxLength(maxPiecesOfLayer));
