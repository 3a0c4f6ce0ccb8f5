/** What the engine's worker says beside calls and their results. */

/** The batch under way has come to its last layer. */
export const lastLayerNews = 'last-layer';
