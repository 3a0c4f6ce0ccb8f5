/** Hands out the tensors of one layer, each once, by their names inside the layer. */
import type { ModelConfig } from '../model/config.ts';
import { tensorBytes } from '../model/numbers/dtype.ts';
import { firstNotFinite } from '../model/numbers/finite-check.ts';
import { release } from '../model/release.ts';
import { toHalfRotation } from '../model/rotary/rotary-layout.ts';
import type { StoredTensor } from './engine.ts';
import { tensorShape } from './tensor-shapes.ts';

export interface TensorSource {
  has(name: string): boolean;
  /**
   * Hands out a tensor, whose bytes can be freed once converted. Rotary rows are ordered by halves, however
   * they are stored. Throws if the layer lacks the tensor, or if it has another shape or a number that is not
   * finite.
   */
  take(name: string): StoredTensor;
  /** Throws if a tensor is left: the architecture does not use it. */
  expectEmpty(): void;
  /** Frees the stored bytes; to be called once all tensors taken are converted. */
  release(): void;
}

/** @param prefix the start of the layer's tensor names, such as `model.layers.3.` */
export function createTensorSource(
  tensors: StoredTensor[],
  prefix: string,
  config: ModelConfig,
): TensorSource {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    has: (name) => byName.has(prefix + name),
    take(name) {
      const tensor = byName.get(prefix + name);
      if (!tensor)
        throw new Error(
          `this layer needs the tensor ${prefix + name}, and the model's files have none of that name; cut or fetch the model again`,
        );
      byName.delete(prefix + name);
      expectShape(tensor, tensorShape(config, name));
      expectFinite(tensor);
      return tensor.interleavedRotary ? byHalves(tensor, config.head_dim) : tensor;
    },
    expectEmpty() {
      if (byName.size > 0)
        throw new Error(
          `this architecture has no use for ${[...byName.keys()].join(', ')}; without it, results would be wrong`,
        );
    },
    release() {
      for (const { data } of tensors) release(data);
    },
  };
}

function expectShape({ name, dtype, shape, data }: StoredTensor, expected: number[]): void {
  if (shape.length !== expected.length || shape.some((size, index) => size !== expected[index]))
    throw new Error(`${name} should be [${expected.join(', ')}], and is [${shape.join(', ')}]`);
  const bytes = tensorBytes(dtype, shape);
  if (data.byteLength !== bytes)
    throw new Error(`${name} should take ${bytes} bytes as ${dtype}, and has ${data.byteLength}`);
}

/** One such weight would make every later hidden state not finite. */
function expectFinite({ name, dtype, data }: StoredTensor): void {
  const bad = firstNotFinite(dtype, data);
  if (bad >= 0)
    throw new Error(
      `${name} holds a number that is not finite, at or after position ${bad}: the model's files are corrupt`,
    );
}

/** A quantisation block lies within a row, so whole rows of bytes move. */
function byHalves(tensor: StoredTensor, headDim: number): StoredTensor {
  const rowBytes = tensor.data.byteLength / tensor.shape[0];
  const data = toHalfRotation(tensor.data, headDim, rowBytes);
  return { ...tensor, data, interleavedRotary: false };
}

/** Two sources of the same tensors; the second has those taken from the first. */
export function takenTwice(tensors: TensorSource): [TensorSource, TensorSource] {
  const taken = new Map<string, StoredTensor>();
  const first: TensorSource = {
    ...tensors,
    take(name) {
      const tensor = tensors.take(name);
      taken.set(name, tensor);
      return tensor;
    },
  };
  const second: TensorSource = {
    has: (name) => taken.has(name),
    take: (name) => taken.get(name) ?? first.take(name),
    expectEmpty: () => undefined,
    release: () => tensors.release(),
  };
  return [first, second];
}
