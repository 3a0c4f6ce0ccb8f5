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
  };
}
