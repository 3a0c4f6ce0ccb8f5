/** The face of the pieces: the model's bytes, fetched, kept and passed on. */
export { createModelStore } from './model-store.ts';
export { createPieceExchange } from './piece-exchange.ts';
