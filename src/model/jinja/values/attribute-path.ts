import { itemOf } from './subscripts.ts';
import { asInteger, asText, Undefined, type Value } from './values.ts';
import { TemplateFault } from '../fault.ts';

/** Reads an attribute such as `function.name` or `0.role` of each item. @param otherwise in its absence */
export function attributePath(path: Value, otherwise: Value = null): (item: Value) => Value {
  const keys = keysOf(path);
  return (item) => {
    let value = item;
    for (const key of keys) {
      value = itemOf(value, key);
      if (otherwise !== null && value instanceof Undefined) value = otherwise;
    }
    return value;
  };
}

function keysOf(path: Value): Value[] {
  const index = asInteger(path);
  if (index !== undefined) return [index];
  const text = asText(path);
  if (text === undefined) throw new TemplateFault('an attribute is named by a str or an int');
  return text.split('.').map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));
}
