/** The messages of the host to a device: one schema each, checked where a message enters and trusted after that. */
import * as v from 'valibot';
import {
  count,
  deviceId,
  layer,
  ms,
  pieceHashes,
  planVersion,
  positiveCount,
  sentence,
  sha256,
  share,
} from './fields.ts';
import { parsed } from './parse-message.ts';

const peerId = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const boundary = { planVersion, sequence: count, stage: layer };

const StageSchema = v.pipe(
  v.object({ device: deviceId, first: layer, last: layer }),
  v.check((stage) => stage.first <= stage.last, 'a stage must not end before it starts'),
);

const RebuildLegSchema = v.object({ device: deviceId, first: layer, last: layer, cache: count });

const AnswerStatusSchema = v.variant('kind', [
  v.object({ kind: v.literal('awaiting-approval') }),
  v.object({ kind: v.literal('queued'), place: count }),
  v.object({ kind: v.literal('reading'), tokensRead: count }),
  v.object({ kind: v.literal('writing') }),
  v.object({ kind: v.literal('paused'), reason: sentence }),
  v.object({ kind: v.literal('done'), because: v.picklist(['end', 'length', 'stopped']) }),
  v.object({ kind: v.literal('failed'), reason: sentence }),
]);

/** How much worse than it is a link may be made. */
export const EmulationSchema = v.object({
  delayMs: v.pipe(ms, v.maxValue(10_000)),
  jitterMs: v.pipe(ms, v.maxValue(10_000)),
  lossRate: share,
  mbps: v.exactOptional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1e6))),
});

const ModelAddressSchema = v.variant('kind', [
  v.object({
    kind: v.literal('shards'),
    /** Absolute, or relative to the page, which every device of the room has loaded from the same server. */
    manifestUrl: v.pipe(v.string(), v.minLength(1), v.maxLength(2048)),
    sha256,
  }),
  v.object({
    kind: v.literal('given'),
    sha256,
    baseUrl: v.nullable(v.pipe(v.string(), v.url(), v.maxLength(2048))),
  }),
]);

export const HostMessageSchema = v.variant('kind', [
  /** The host is asked to let this device in; `welcome` or `ended` follows. */
  v.object({ kind: v.literal('knocking') }),
  /** Who you are here, and which model this room runs. */
  v.object({
    kind: v.literal('welcome'),
    deviceId,
    model: ModelAddressSchema,
    weights: v.picklist(['auto', 'f32', 'f16', 'q8', 'q4']),
    wire: v.picklist(['f16', 'f32']),
    maxBatch: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)),
    contextLength: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 24)),
  }),
  /** Another device of the room: dial it, or let it in when it dials, if it proves this fingerprint. */
  v.object({
    kind: v.literal('connect'),
    deviceId,
    peerId,
    fingerprint: sha256,
    dial: v.boolean(),
  }),
  /** Measure the link to that device. The answer is `link`. */
  v.object({ kind: v.literal('measure-link'), deviceId }),
  /** Load the layers that this lap gives you; other layers go before (`dropFirst`), or with `keep-laps`. */
  v.object({
    kind: v.literal('deploy'),
    planVersion,
    stages: v.pipe(v.array(StageSchema), v.minLength(1), v.maxLength(2048)),
    /** For this device's screen: what the plan predicts, and why it was chosen. */
    lapMs: ms,
    why: sentence,
    dropFirst: v.boolean(),
  }),
  /** Which devices keep a layer that this one is to load, and the hashes of its pieces where they are known. */
  v.object({
    kind: v.literal('layer-sources'),
    layer,
    devices: v.pipe(v.array(deviceId), v.maxLength(64)),
    sha256: pieceHashes,
  }),
  /** The laps that are in use from now on, the newest last: layers and frames of all others may go. */
  v.object({
    kind: v.literal('keep-laps'),
    planVersions: v.pipe(v.array(planVersion), v.minLength(1), v.maxLength(64)),
  }),
  /** This sequence, or cache rebuild, is over: its caches and its hidden states may go. */
  v.object({ kind: v.literal('release'), sequence: count }),
  /** Each other device may open so many sequences on this one's stages at a time; work on more is refused. */
  v.object({ kind: v.literal('most-sequences'), most: v.pipe(positiveCount, v.maxValue(256)) }),
  /** Of all sequences up to `upTo`, the last one begun, these are in use: whatever others are open here is released. */
  v.object({
    kind: v.literal('keep-sequences'),
    sequences: v.pipe(v.array(count), v.maxLength(1024)),
    upTo: count,
  }),
  /** Layers to keep at hand in case another device leaves: loaded, or only fetched, while no plan needs more. */
  v.object({
    kind: v.literal('keep-standby'),
    layers: v.pipe(v.array(layer), v.maxLength(1026)),
    isLoaded: v.boolean(),
  }),
  /** Take the frames of this cache rebuild and say so; a `release` of its number ends it. */
  v.object({
    kind: v.literal('rebuild-cache'),
    planVersion,
    sequence: count,
    fills: count,
    source: deviceId,
    isAlone: v.boolean(),
    stages: v.pipe(v.array(RebuildLegSchema), v.minLength(1), v.maxLength(2048)),
  }),
  /** Send these positions of the hidden states that you kept into that cache rebuild. */
  v.object({ kind: v.literal('replay'), sequence: count, position: count, tokens: positiveCount }),
  /** Whether this device's person may ask. */
  v.object({ kind: v.literal('asking'), mode: v.picklist(['off', 'approve', 'open']) }),
  /** How a question of this device's person is getting on; `added` continues the text. */
  v.object({
    kind: v.literal('answer'),
    request: count,
    added: v.pipe(v.string(), v.maxLength(32_768)),
    status: AnswerStatusSchema,
    promptTokens: count,
    newTokens: count,
    ttftMs: v.nullable(ms),
    msPerToken: v.nullable(ms),
    predictedMsPerToken: ms,
  }),
  /** Laps have shown this device to be slower than it was: it is to measure itself anew. */
  v.object({ kind: v.literal('measure-again') }),
  /** That device has left the room: its link may be closed. */
  v.object({ kind: v.literal('left'), deviceId }),
  /** Run the layers that you hold on the model's golden states once more, and say `proved` or `disproved`. */
  v.object({ kind: v.literal('prove-again') }),
  /** How far is this sequence on your stages? The answer is `progress`. */
  v.object({ kind: v.literal('report-progress'), planVersion, sequence: count }),
  /** Keep what crosses into this stage for the sequence, and show it when asked: see `boundary-tap.ts`. */
  v.object({ kind: v.literal('tap-boundary'), ...boundary }),
  /** Send what was kept for `tap-boundary`. The answer is the large message `boundary-states`. */
  v.object({ kind: v.literal('report-boundary'), ...boundary }),
  /** For every screen of the room. */
  v.object({ kind: v.literal('notice'), text: sentence }),
  /** That device's links are slowed down, for an experiment; null lifts it. */
  v.object({ kind: v.literal('emulate'), deviceId, emulation: v.nullable(EmulationSchema) }),
  /** This device's part is over for good: the room was closed, or the host removed it. */
  v.object({ kind: v.literal('ended'), reason: sentence }),
]);

export type HostMessage = v.InferOutput<typeof HostMessageSchema>;

/** Throws one sentence that names the field. */
export function parseHostMessage(message: unknown): HostMessage {
  return parsed(HostMessageSchema, message, 'host');
}
