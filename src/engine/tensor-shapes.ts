/** The shapes that an architecture's figures promise, by a tensor's name inside its layer. */
import {
  embedTensors,
  finalNormName,
  headName,
  blockPrefix,
  blockTensors,
} from '../model/architecture.ts';
import type { ModelConfig } from '../model/config.ts';

/** Outermost first; a projection is [out, in]. Throws on a name that this architecture does not use. */
export function tensorShape(config: ModelConfig, name: string): number[] {
  const { hidden_size: hidden, vocab_size: vocabulary } = config;
  const known = [
    ...embedTensors(config),
    { name: finalNormName, shape: [hidden] },
    { name: headName, shape: [vocabulary, hidden] },
    ...blockShapes(config),
  ];
  const found = known.find((tensor) => tensor.name === name);
  if (!found) throw new Error(`a ${config.model_type} here has no tensor named ${name}`);
  return found.shape;
}

/** The matrices of a block: nearly all of its bytes, whatever the architecture adds. */
export function blockMatrices(config: ModelConfig): number[][] {
  return blockShapes(config).flatMap(({ shape }) => (shape.length === 2 ? [shape] : []));
}

/** Every block has the same. */
function blockShapes(config: ModelConfig): { name: string; shape: number[] }[] {
  const prefix = blockPrefix(0);
  return blockTensors(config, 0).map(({ name, shape }) => ({
    name: name.slice(prefix.length),
    shape,
  }));
}
