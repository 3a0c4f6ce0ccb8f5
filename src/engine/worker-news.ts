/** What the engine's worker says beside calls and their results. */

/** The batch under way has come to its last row. */
export const lastRowNews = 'last-row';
