/** The face of memory: what a model and its caches need. */
export { contextLengthOf, usualContextLength } from './context-length.ts';
export { needOf } from './model-need.ts';
export { sequenceBytesPerBlock } from './sequence-bytes.ts';
export { weightBytes } from './weight-bytes.ts';
