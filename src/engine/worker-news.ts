/** Messages of the engine's worker besides calls and their results. */

/** The current batch has only its last layer left. */
export const lastLayerNews = 'last-layer';
