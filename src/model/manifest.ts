/**
 * A shard manifest: what a model consists of, and which bytes of which files each of its layers has.
 *
 * One schema describes a model cut into shards (one file a layer) and a checkpoint used as it is (each tensor
 * a byte range of a larger file), so the rest of the code knows one kind of model.
 */
import * as v from 'valibot';
import { ModelConfigSchema } from './config.ts';
import { dtypes } from './numbers/dtype.ts';

/** Files are hashed, cached and transferred in pieces of this size: 4 MiB. */
export const pieceBytes = 4 * 1024 * 1024;

const byteCount = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 50));
const sha256Hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** A file's path inside the model's folder: not absolute, and without `..`. */
export const relativePath = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(512),
  v.regex(/^[A-Za-z0-9._][A-Za-z0-9._-]*(\/[A-Za-z0-9._][A-Za-z0-9._-]*)*$/),
  v.check((path) => !path.split('/').includes('..'), 'must not contain ".."'),
);

const FileSchema = v.object({
  path: relativePath,
  bytes: byteCount,
  /** Hashes of the whole file, and of each of its pieces in order. Absent in a model straight from a hub. */
  sha256: v.optional(sha256Hex),
  pieceSha256: v.optional(v.array(sha256Hex)),
  /** The server's strong entity tag for a file without hashes, by which a replaced file is known. */
  etag: v.optional(v.pipe(v.string(), v.maxLength(256))),
});

const TensorSchema = v.object({
  /** The tensor's Hugging Face name, such as `model.layers.0.self_attn.q_proj.weight`. */
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  dtype: v.picklist(dtypes),
  /** Outermost dimension first; a projection's weight is [out, in]. */
  shape: v.pipe(
    v.array(v.pipe(v.number(), v.integer(), v.minValue(1))),
    v.minLength(1),
    v.maxLength(4),
  ),
  /** Index into `files`, and the place of the tensor's bytes in that file. */
  file: v.pipe(v.number(), v.integer(), v.minValue(0)),
  offset: byteCount,
  bytes: byteCount,
  /** True if rows of q and k are stored for adjacent-pair rotation (GGUF files of Llama) instead of by halves. */
  interleavedRotary: v.optional(v.boolean()),
});

const LayerSchema = v.object({
  name: v.string(),
  kind: v.picklist(['embed', 'block', 'head']),
  tensors: v.array(TensorSchema),
});

const SamplingSchema = v.object({
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100))),
  top_k: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  top_p: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  min_p: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  repetition_penalty: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(100))),
});

const spelling = v.pipe(v.string(), v.maxLength(4096));
const namedToken = v.optional(v.nullable(spelling));

/**
 * Spellings under the names of `tokenizer_config.json`, for chat templates; null for a token that the model
 * says it does not have. A name that is absent is not told.
 */
const SpecialTokensSchema = v.object({
  bos_token: namedToken,
  eos_token: namedToken,
  unk_token: namedToken,
  sep_token: namedToken,
  pad_token: namedToken,
  cls_token: namedToken,
  mask_token: namedToken,
  additional_special_tokens: v.optional(v.pipe(v.array(spelling), v.maxLength(1 << 16))),
});

/** Golden hidden states: see `golden.ts`. */
const GoldenSchema = v.object({
  path: relativePath,
  inputs: v.pipe(
    v.array(
      v.pipe(
        v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
        v.minLength(1),
        v.maxLength(256),
      ),
    ),
    v.minLength(1),
    v.maxLength(8),
  ),
});

export const ManifestSchema = v.object({
  format: v.literal('edgeshard'),
  /** `earlier-manifest.ts` reads format 1. */
  version: v.literal(2),
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)),
  title: v.string(),
  licence: v.string(),
  config: ModelConfigSchema,
  files: v.array(FileSchema),
  /** `embed`, then every block in order, then `head`. */
  layers: v.pipe(v.array(LayerSchema), v.minLength(3)),
  /** Path of a Hugging Face `tokenizer.json` in `files`; null for a model without a tokenizer. */
  tokenizer: v.nullable(relativePath),
  /** Jinja chat template; null for a base model, which continues texts instead of chatting. */
  chatTemplate: v.nullable(v.string()),
  /** What `bos_token` and its kin are in the template. Absent in manifests of earlier versions. */
  specialTokens: v.optional(SpecialTokensSchema),
  /** The sampling that its authors suggest, with the names of `generation_config.json`. */
  sampling: v.optional(SamplingSchema),
  /** Absent in a model straight from a hub, and in one that an earlier version cut without them. */
  golden: v.optional(GoldenSchema),
});

export type Manifest = v.InferOutput<typeof ManifestSchema>;
export type ManifestSampling = v.InferOutput<typeof SamplingSchema>;
export type ManifestSpecialTokens = v.InferOutput<typeof SpecialTokensSchema>;
export type ManifestFile = v.InferOutput<typeof FileSchema>;
export type ManifestTensor = v.InferOutput<typeof TensorSchema>;
export type ManifestLayer = v.InferOutput<typeof LayerSchema>;
