/** The architectures whose GGUF files can be read, and what llama.cpp's conversion does to each. */
import type { Architecture } from '../../model/traits.ts';
import type { Metadata } from './gguf-metadata.ts';

export interface GgufFamily {
  /** `general.architecture`, with which the keys of its figures begin. */
  architecture: string;
  /** The `model_type` that computes the same. */
  computesAs: Architecture;
  /**
   * Rows of q and k are stored for rotation of adjacent pairs (`LLAMA_ROPE_TYPE_NORM` of
   * `llama_model_rope_type`), and not by halves.
   */
  rotatesAdjacentPairs: boolean;
  /** Whether part of a head may be rotated (`rope.dimension_count`); for others llama.cpp asserts that it is all. */
  mayRotatePart?: true;
}

const families: Partial<Record<string, Omit<GgufFamily, 'architecture'>>> = {
  // Mistral's models are published as llama too.
  llama: { computesAs: 'llama', rotatesAdjacentPairs: true },
  mistral: { computesAs: 'mistral', rotatesAdjacentPairs: false },
  qwen2: { computesAs: 'qwen2', rotatesAdjacentPairs: false },
  qwen3: { computesAs: 'qwen3', rotatesAdjacentPairs: false },
  // Phi-3 computes as Mistral does; `fused-tensors.ts` splits its fused tensors.
  phi3: { computesAs: 'mistral', rotatesAdjacentPairs: false, mayRotatePart: true },
  gemma: { computesAs: 'gemma', rotatesAdjacentPairs: false },
  gemma2: { computesAs: 'gemma2', rotatesAdjacentPairs: false },
  gemma3: { computesAs: 'gemma3', rotatesAdjacentPairs: false },
  smollm3: { computesAs: 'smollm3', rotatesAdjacentPairs: true },
  olmo2: { computesAs: 'olmo2', rotatesAdjacentPairs: false },
  granite: { computesAs: 'granite', rotatesAdjacentPairs: true },
};

/** @throws Error that names what the file holds instead */
export function ggufFamily(metadata: Metadata, path: string): GgufFamily {
  const architecture = metadata.text('general.architecture') ?? '';
  const kind = metadata.text('general.type') ?? 'model';
  if (architecture === 'clip' || kind === 'mmproj')
    throw new Error(
      `${path} holds the part of a model that sees or hears ("${architecture}"), and not the language model: ` +
        'choose the other GGUF file beside it',
    );
  if (kind === 'adapter')
    throw new Error(
      `${path} holds an adapter (LoRA), which changes another model and is none itself: ` +
        'choose a model into which it is merged',
    );
  const isMixture =
    /moe/i.test(architecture) || (metadata.number(`${architecture}.expert_count`) ?? 0) > 0;
  if (isMixture)
    throw new Error(
      `${path} holds a mixture of experts ("${architecture}"), which is not supported here; ` +
        `these are: ${Object.keys(families).join(', ')}`,
    );
  const family = Object.hasOwn(families, architecture) ? families[architecture] : undefined;
  if (!family)
    throw new Error(
      `${path} holds a model of the architecture "${architecture}", which is not supported; ` +
        `these are: ${Object.keys(families).join(', ')}`,
    );
  return { architecture, ...family };
}
