/** The shapes of an architecture's tensors, by their names inside a layer. */
import {
  embedTensors,
  finalNormName,
  headName,
  blockPrefix,
  blockTensors,
} from '../model/architecture.ts';
import type { ModelConfig } from '../model/config.ts';

/** Outermost dimension first; a projection is [out, in]. Throws for a name that this architecture does not use. */
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

/** The matrices of a block, which are nearly all of its bytes. */
export function blockMatrices(config: ModelConfig): number[][] {
  return blockShapes(config).flatMap(({ shape }) => (shape.length === 2 ? [shape] : []));
}

/** The same for every block. */
function blockShapes(config: ModelConfig): { name: string; shape: number[] }[] {
  const prefix = blockPrefix(0);
  return blockTensors(config, 0).map(({ name, shape }) => ({
    name: name.slice(prefix.length),
    shape,
  }));
}
