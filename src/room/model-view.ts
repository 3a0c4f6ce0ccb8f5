import { templateSwitches } from '../model/chat/template-switches.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ModelView } from './view.ts';

/** What a screen says of a model. */
export function modelView(manifest: Manifest): ModelView {
  const { config } = manifest;
  return {
    name: manifest.name,
    title: manifest.title,
    licence: manifest.licence,
    layers: manifest.layers.length,
    contextLength: config.max_position_embeddings,
    bytes: manifest.files.reduce((sum, file) => sum + file.bytes, 0),
    chat: manifest.chatTemplate !== null,
    switches: templateSwitches(manifest.chatTemplate),
    sampling: suggestedSampling(manifest),
  };
}

function suggestedSampling({ sampling = {} }: Manifest): ModelView['sampling'] {
  const { temperature, top_k: topK, top_p: topP, min_p: minP } = sampling;
  const { repetition_penalty: repetitionPenalty } = sampling;
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    ...(minP !== undefined && { minP }),
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
  };
}
