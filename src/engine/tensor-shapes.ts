/** The shapes that an architecture's figures promise, by a tensor's name inside its row. */
import {
  embedTensors,
  finalNormName,
  headName,
  layerPrefix,
  layerTensors,
} from '../model/architecture.ts';
import type { ModelConfig } from '../model/config.ts';

/** Outermost first; a projection is [out, in]. Throws on a name that this architecture does not use. */
export function tensorShape(config: ModelConfig, name: string): number[] {
  const { hidden_size: hidden, vocab_size: vocabulary } = config;
  const known = [
    ...embedTensors(config),
    { name: finalNormName, shape: [hidden] },
    { name: headName, shape: [vocabulary, hidden] },
    ...layerShapes(config),
  ];
  const found = known.find((tensor) => tensor.name === name);
  if (!found) throw new Error(`a ${config.model_type} here has no tensor named ${name}`);
  return found.shape;
}

/** The matrices of a layer: nearly all of its bytes, whatever the architecture adds. */
export function layerMatrices(config: ModelConfig): number[][] {
  return layerShapes(config).flatMap(({ shape }) => (shape.length === 2 ? [shape] : []));
}

/** Every layer has the same. */
function layerShapes(config: ModelConfig): { name: string; shape: number[] }[] {
  const prefix = layerPrefix(0);
  return layerTensors(config, 0).map(({ name, shape }) => ({
    name: name.slice(prefix.length),
    shape,
  }));
}
