import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { pieceBytes } from '../../model/manifest.ts';

export interface FileHashes {
  bytes: number;
  sha256: string;
  /** Of each 4 MiB piece in order. */
  pieceSha256: string[];
}

export interface HashedFile {
  write(data: Uint8Array): Promise<void>;
  /** Writes zeros up to the next multiple of `alignment`. */
  align(alignment: number): Promise<void>;
  /** The offset of the next byte. */
  position(): number;
  /** Closes the file, and returns the hashes of all that was written. */
  finish(): Promise<FileHashes>;
  /** Closes the file without a result. */
  abandon(): Promise<void>;
}

/** Creates a file that is hashed, whole and by pieces, while it is written. */
export async function createHashedFile(path: string): Promise<HashedFile> {
  const handle = await open(path, 'wx');
  const whole = createHash('sha256');
  let piece = createHash('sha256');
  let bytes = 0;
  const pieceSha256: string[] = [];

  const write = async (data: Uint8Array): Promise<void> => {
    await handle.writeFile(data);
    whole.update(data);
    let rest = data;
    while (rest.byteLength > 0) {
      const part = rest.subarray(0, pieceBytes - (bytes % pieceBytes));
      piece.update(part);
      bytes += part.byteLength;
      if (bytes % pieceBytes === 0) {
        pieceSha256.push(piece.digest('hex'));
        piece = createHash('sha256');
      }
      rest = rest.subarray(part.byteLength);
    }
  };

  return {
    write,
    align: (alignment) => write(new Uint8Array((alignment - (bytes % alignment)) % alignment)),
    position: () => bytes,
    finish: async () => {
      if (bytes % pieceBytes !== 0) pieceSha256.push(piece.digest('hex'));
      await handle.close();
      return { bytes, sha256: whole.digest('hex'), pieceSha256 };
    },
    abandon: () => handle.close(),
  };
}
