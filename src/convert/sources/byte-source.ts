/** Bytes that can be read by range: a file, a server with ranges, or memory. */
export interface ByteSource {
  /** Length of the whole. */
  bytes: number;
  /** A server's strong entity tag, by which a replaced file is known; absent where there is none. */
  etag?: string;
  /** Exactly `length` bytes from `offset`, or an error that says what is missing. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes already in memory. */
export function memorySource(data: Uint8Array): ByteSource {
  return {
    bytes: data.byteLength,
    read: (offset, length) => {
      checkRange(offset, length, data.byteLength);
      return Promise.resolve(data.slice(offset, offset + length));
    },
  };
}

/** A file that a person picked, or any other Blob. */
export function blobSource(blob: Blob): ByteSource {
  return {
    bytes: blob.size,
    read: async (offset, length) => {
      checkRange(offset, length, blob.size);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** A part of another source, as a source of its own. */
export function sliceSource(source: ByteSource, start: number, bytes: number): ByteSource {
  checkRange(start, bytes, source.bytes);
  return {
    bytes,
    read: (offset, length) => {
      checkRange(offset, length, bytes);
      return source.read(start + offset, length);
    },
  };
}

/** Several sources end to end. */
export function joinSources(sources: readonly ByteSource[]): ByteSource {
  const bytes = sources.reduce((sum, source) => sum + source.bytes, 0);
  return {
    bytes,
    read: async (offset, length) => {
      checkRange(offset, length, bytes);
      const result = new Uint8Array(length);
      let start = 0;
      for (const source of sources) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + length, start + source.bytes);
        if (from < to) result.set(await source.read(from - start, to - from), from - offset);
        start += source.bytes;
      }
      return result;
    },
  };
}

/** Throws unless the range lies within a source of `bytes` bytes. */
export function checkRange(offset: number, length: number, bytes: number): void {
  if (offset < 0 || length < 0 || offset + length > bytes)
    throw new RangeError(
      `the file is cut short or lies about its contents: bytes ${offset} to ${offset + length} ` +
        `were asked of its ${bytes}`,
    );
}
