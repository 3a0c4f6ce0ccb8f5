/** The face of requests: who asks, whose turn it is, and how far each answer is. */
export { type Answering, createAnswering } from './answering.ts';
export { createTextCodec, withoutTokenizer, type TextCodec } from './text-codec.ts';
export type { Visitors } from './visitors.ts';
