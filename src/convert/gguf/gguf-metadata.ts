/** Typed access to a GGUF file's metadata. A value of the wrong type is an error. */
import type { GgufValue } from './gguf-header.ts';

export interface Metadata {
  number(key: string): number | undefined;
  text(key: string): string | undefined;
  flag(key: string): boolean | undefined;
  texts(key: string): string[] | undefined;
  numbers(key: string): number[] | undefined;
  /** One number, or a list with the same number for each block. */
  uniformNumber(key: string): number | undefined;
  /** One number, or a list of true and false. */
  numberOrFlags(key: string): number | boolean[] | undefined;
}

export function metadataOf(values: ReadonlyMap<string, GgufValue>, path: string): Metadata {
  const wrong = (key: string, wanted: string): Error =>
    new Error(`${path}: ${key} must be ${wanted}, and it is something else`);

  const number = (key: string): number | undefined => {
    const value = values.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' && typeof value !== 'bigint') throw wrong(key, 'a number');
    return Number(value);
  };

  const list = <T extends GgufValue>(
    key: string,
    is: (value: GgufValue) => value is T,
    wanted: string,
  ): T[] | undefined => {
    const value = values.get(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every(is)) throw wrong(key, wanted);
    return value;
  };

  return {
    number,
    text: (key) => {
      const value = values.get(key);
      if (value !== undefined && typeof value !== 'string') throw wrong(key, 'a text');
      return value;
    },
    flag: (key) => {
      const value = values.get(key);
      if (value !== undefined && typeof value !== 'boolean') throw wrong(key, 'true or false');
      return value;
    },
    texts: (key) => list(key, (value) => typeof value === 'string', 'a list of texts'),
    numbers: (key) => list(key, (value) => typeof value === 'number', 'a list of numbers'),
    uniformNumber: (key) => {
      if (!Array.isArray(values.get(key))) return number(key);
      const each = list(key, (value) => typeof value === 'number', 'a number for each block');
      const different = new Set(each);
      if (different.size > 1)
        throw new Error(`${path}: ${key} differs from block to block, which is not supported here`);
      return each?.at(0);
    },
    numberOrFlags: (key) =>
      Array.isArray(values.get(key))
        ? list(key, (value) => typeof value === 'boolean', 'a number, or a list of true and false')
        : number(key),
  };
}
