/**
 * Gives the memory of a whole buffer back at once; nothing can be read from it afterwards. What is merely
 * forgotten stays until the next collection: while a model of 1,058 MB was loaded, a tab that forgot its
 * constants grew to 3,229 MB.
 *
 * Only for buffers that no browser function was given: those keep the memory until a collection all the
 * same, and the engine that decides on the next one no longer counts it.
 */
export function release({ buffer }: ArrayBufferView): void {
  (buffer as Transferable).transfer?.(0);
}

/** Not in every browser's buffers yet. */
interface Transferable {
  transfer?: (bytes: number) => unknown;
}
